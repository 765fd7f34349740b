# What checks need on top of the packages that submissions use. They stand on the same layers, so that
# both boxes of a run share one copy on disk and in the kernel's page cache.
ARG BELOW
FROM ${BELOW} AS install
LABEL grader.image.stage=install
COPY wheels /wheels
COPY requirements.txt /wheels/requirements.txt
RUN python3.13 -m venv /tmp/pip \
 && /tmp/pip/bin/python -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-compile \
        --no-index --find-links /wheels --require-hashes --no-deps --target /opt/more -r /wheels/requirements.txt \
 && PYTHONPATH=/opt/more:/opt/venv/lib/python3.13/site-packages \
        /tmp/pip/bin/python -m pip check --quiet --disable-pip-version-check \
 && find /opt/more -type d -name tests -prune -exec rm -r {} +
RUN /opt/venv/bin/python -m compileall -q -j 0 /opt/more >/dev/null || true

FROM ${BELOW}
COPY --from=install /opt/more /opt/more
# matplotlib's list of fonts, made once here and not in every box.
RUN echo /opt/more > /opt/venv/lib/python3.13/site-packages/more.pth \
 && MPLCONFIGDIR=/opt/matplotlib /opt/venv/bin/python -c "import matplotlib.font_manager" \
 && chmod -R a+rX /opt/matplotlib
