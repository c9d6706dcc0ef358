# Understudy in a container, from the same packages.txt that ./dev uses.
#   docker build -t understudy . && docker run -v understudy:/home understudy keys init
#   docker run -p 8080:8080 -v understudy:/home understudy serve --upstream URL --listen 0.0.0.0:8080
FROM debian:forky AS build
COPY packages.txt /tmp/packages.txt
RUN apt-get update && sed -e 's/#.*//' -e '/^[[:space:]]*$/d' /tmp/packages.txt \
      | xargs apt-get install -y --no-install-recommends && rm -rf /var/lib/apt/lists/*
COPY . /src
WORKDIR /src
RUN cmake --preset release && cmake --build build/release \
    && tools/portable_tree.py --build build/release --output /understudy && mkdir /empty

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
