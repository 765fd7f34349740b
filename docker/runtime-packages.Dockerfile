# The packages that submissions may use, on a base that is the registry's Python or docker/base.sh's.
# Built without a network: the wheels come with the context, fetched on the host by its own pip.
ARG BELOW
FROM ${BELOW} AS install
LABEL grader.image.stage=install
COPY wheels /wheels
COPY requirements.txt /wheels/requirements.txt
RUN python3.13 -m venv /opt/venv \
 && /opt/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-compile \
        --no-index --find-links /wheels --require-hashes --no-deps -r /wheels/requirements.txt \
 && /opt/venv/bin/python -m pip check --quiet --disable-pip-version-check \
 && /opt/venv/bin/python -m pip uninstall --quiet --yes pip \
 && find /opt/venv/lib -type d -name tests -prune -exec rm -r {} +
# Some packages ship files for other Pythons, which do not compile; what matters fails at import.
RUN /opt/venv/bin/python -m compileall -q -j 0 /opt/venv/lib >/dev/null || true

# A stage of its own, so that neither wheels nor pip are in any layer of the result.
FROM ${BELOW}
COPY --from=install /opt/venv /opt/venv
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && (python3.13 -m compileall -q "$(python3.13 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" >/dev/null || true) \
 && mkdir -p /work && chown 65534:65534 /work
