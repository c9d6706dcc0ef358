# Understudy in a container, from the same packages.txt that ./dev uses.
#   docker build -t understudy . && docker run -v understudy:/home understudy keys init
#   docker run -p 8080:8080 -v understudy:/home understudy serve --upstream URL --listen 0.0.0.0:8080
FROM debian:forky AS build
COPY packages.txt /tmp/packages.txt
RUN apt-get update && sed -e 's/#.*//' -e '/^[[:space:]]*$/d' /tmp/packages.txt \
      | xargs apt-get install -y --no-install-recommends && rm -rf /var/lib/apt/lists/*
# tools/build_image.py, which needs no Docker, names a compiler cache and npm's settings by these.
ARG PRESET=release
ARG CCACHE_DIR
ARG CCACHE_BASEDIR=/src
ARG CCACHE_NOHASHDIR=1
ARG CCACHE_SLOPPINESS=pch_defines,time_macros
ARG NPM_CONFIG_USERCONFIG
ARG NPM_CONFIG_GLOBALCONFIG
ARG NPM_CONFIG_CAFILE
ARG NODE_EXTRA_CA_CERTS
COPY . /src
WORKDIR /src
RUN cmake --preset $PRESET && cmake --build build/$PRESET --target installed \
    && tools/portable_tree.py --build build/$PRESET --output /understudy && mkdir /empty

# The portable tree needs nothing else: no shell, no libraries, nothing to update but itself.
FROM scratch
COPY --from=build /understudy /opt/understudy
COPY --from=build --chown=65532:65532 /empty /home
COPY --from=build --chown=65532:65532 /empty /tmp
ENV UNDERSTUDY_HOME=/home SSL_CERT_FILE=/opt/understudy/share/understudy/ca-certificates.crt
USER 65532:65532
VOLUME /home
EXPOSE 8080
ENTRYPOINT ["/opt/understudy/bin/understudy"]
CMD ["--help"]
