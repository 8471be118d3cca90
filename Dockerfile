# Builds with the toolchain of the image; .dockerignore keeps rust-toolchain.toml out, which would
# fetch components that a build does not need.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --bin screenerd \
    && install -D target/dist/screenerd /out/screenerd

FROM debian:bookworm-slim
RUN groupadd --gid 10001 screenerd \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin screenerd \
    && install -d -m 0700 -o 10001 -g 10001 /data
COPY --from=build /out/screenerd /usr/local/bin/screenerd
USER 10001:10001
WORKDIR /data
VOLUME /data
# Links begin with SCREENERD_PUBLIC_URL: set it to the address that participants reach.
ENV SCREENERD_DATABASE=sqlite:///data/screenerd.db \
    SCREENERD_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
    CMD ["screenerd", "healthcheck"]
ENTRYPOINT ["screenerd"]
CMD ["serve"]
