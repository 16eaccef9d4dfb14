# One image, several commands: parley api | worker | migrate | keys create.
FROM python:3.11.14-slim-bookworm AS build
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==0.13.9
RUN python -m venv --without-pip /opt/parley
WORKDIR /src
COPY requirements-runtime.txt ./
RUN /opt/uv/bin/uv pip sync --no-cache --python /opt/parley/bin/python --require-hashes requirements-runtime.txt
COPY pyproject.toml README.md ./
COPY sessions ./sessions
COPY audio ./audio
COPY store ./store
COPY worker ./worker
COPY control_api ./control_api
COPY parley ./parley
RUN /opt/uv/bin/uv pip install --no-cache --python /opt/parley/bin/python --no-deps .

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home parley \
    && install --directory --owner=parley --group=parley --mode=0700 /var/lib/parley
COPY --from=build /opt/parley /opt/parley
# API and worker run in containers of their own, so that one port and one health check serve both.
ENV PATH=/opt/parley/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PARLEY_DATA_DIR=/var/lib/parley \
    PARLEY_API_HOST=0.0.0.0 \
    PARLEY_API_PORT=8080 \
    PARLEY_WORKER_PORT=8080
USER parley
WORKDIR /var/lib/parley
VOLUME /var/lib/parley
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=3)"]
ENTRYPOINT ["parley"]
CMD ["api"]
