# What submissions run in: the packages of requirements/runtime-image.txt and our agent.
ARG BELOW
FROM ${BELOW}
COPY grader /opt/grader/grader
RUN /opt/venv/bin/python -m compileall -q /opt/grader
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8
USER 65534:65534
WORKDIR /
HEALTHCHECK NONE
# -I: neither the working folder nor PYTHON* variables can put another module in the agent's way. Our
# folder is on the path of the agent only, so that a submission's own `grader` module is not shadowed.
ENTRYPOINT ["/opt/venv/bin/python", "-I", "-c", "import sys; sys.path.insert(0, '/opt/grader'); from grader.agent.main import main; sys.exit(main())"]
