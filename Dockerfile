# Understudy in a container, from the same packages.txt that ./dev uses.
#   docker build -t understudy . && docker run -p 8080:8080 -v understudy:/var/lib/understudy understudy serve --upstream URL --listen 0.0.0.0:8080
FROM debian:forky AS build
COPY packages.txt /tmp/packages.txt
RUN apt-get update && sed -e 's/#.*//' -e '/^[[:space:]]*$/d' /tmp/packages.txt \
      | xargs apt-get install -y --no-install-recommends && rm -rf /var/lib/apt/lists/*
COPY . /src
WORKDIR /src
RUN cmake --preset release && cmake --build build/release

FROM build
RUN install -m 755 build/release/bin/understudy* /usr/local/bin/
ENV UNDERSTUDY_HOME=/var/lib/understudy
VOLUME /var/lib/understudy
EXPOSE 8080
ENTRYPOINT ["understudy"]
CMD ["--help"]
