# The environment of ./run and the workflow:  docker build -t emoword .
#   docker run --rm -v "$PWD/results:/emoword/results" emoword                    the demo
#   docker run --rm --gpus all -v "$PWD/results:/emoword/results" -v "$PWD/data:/emoword/data" \
#     -v ~/.cache/huggingface:/root/.cache/huggingface -v /data/IEMOCAP_full_release:/corpus:ro emoword \
#     --config dataset=iemocap iemocap_root=/corpus
# Apptainer builds from it as well: docker save emoword -o emoword.tar, then
#   apptainer build emoword.sif docker-archive://emoword.tar
FROM python:3.12-slim-bookworm

# the base image says which versions
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends latexmk texlive-latex-recommended texlive-fonts-recommended \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /emoword
# what the environment is made from, first: an edit elsewhere leaves this layer as it is
COPY run pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN ./run setup && rm -rf /root/.cache
COPY . .

ENTRYPOINT ["./run"]
