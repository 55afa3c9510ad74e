# syntax=docker/dockerfile:1
# A task server, built from the repository's root: docker build -f examples/compose/tasks.Dockerfile --build-arg SERVER=tasks-actix .
FROM rust:1.95-slim-bookworm AS build
ARG SERVER=tasks-axum
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --locked --release -p "$SERVER" && cp "target/release/$SERVER" /server

FROM debian:bookworm-slim
# The authorities that an https issuer is checked by.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /server /usr/local/bin/server
USER 10001:10001
ENV BIND_ADDR=0.0.0.0:8000
EXPOSE 8000
# The image has no HTTP client, but its bash speaks TCP.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /health HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["/usr/local/bin/server"]
