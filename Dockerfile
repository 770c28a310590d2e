# Versement's daemon and command on Debian 12. Two stages; BASE may be any image of Debian 12.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      g++ cmake ninja-build pkg-config \
      libboost1.81-dev libssl-dev libarchive-dev libpugixml-dev librocksdb-dev \
      libcli11-dev libtomlplusplus-dev libspdlog-dev libfmt-dev libicu-dev \
      libhowardhinnant-date-dev zlib1g-dev libzstd-dev libdeflate-dev libmagic-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset release -DVERSEMENT_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr \
 && cmake --build --preset release \
 && DESTDIR=/stage cmake --install build/release --strip

FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates tzdata libssl3 libpugixml1v5 librocksdb7.8 libspdlog1.10 libfmt9 \
      libicu72 zlib1g libzstd1 libdeflate0 libmagic1 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 64080 versement \
 && useradd --uid 64080 --gid 64080 --home-dir /var/lib/versement --shell /usr/sbin/nologin versement \
 && install -d -o versement -g versement -m 0750 /var/lib/versement \
 && install -d -m 0755 /srv/inbox
COPY --from=build /stage/usr/ /usr/
USER 64080:64080
EXPOSE 8480
VOLUME /var/lib/versement
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/usr/bin/versementd", "--health", "--ready"]
ENTRYPOINT ["/usr/bin/versementd"]
CMD ["--init-if-empty", "--inbox", "/srv/inbox", "--listen", "0.0.0.0:8480"]
