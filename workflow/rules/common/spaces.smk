"""Names and paths of word spaces, looked up in the configuration."""

EMBEDDED_CUTS = {
    "embedded": "glove.6B.100d.cut.txt.xz",
    "embedded-bert": "all-MiniLM-L6-v2.static.cut.txt.xz",
    "bert": "glove.6B.100d.cut.txt.xz",  # the default word list
}


def fetched():
    """Sources that are not there and have an address: path -> options of `emoword fetch`.

    One that is there is never an output of a rule, so that Snakemake removes nobody's file; nor is
    an absolute path, which a user wrote: a slip in it is an error, and no download.
    """
    return {
        own.source: {"url": own.url, "sha256": own.sha256}
        for own in CONFIG.spaces.values()
        if getattr(own, "url", "")
        and not Path(own.source).is_absolute()
        and not Path(own.source).exists()
    }


FETCHED = fetched()


def space_files(name):
    """What a space is made from. What is not there is left to the command, which says what to do."""
    chosen = in_one_line(settings.one)(CONFIG, "spaces", name)
    options = space_options(chosen)
    named = {key: options[key] for key in ("source", "words", "keep")}
    if cut := EMBEDDED_CUTS.get(options["format"]):
        named["embedded"] = source(f"src/emoword/resources/{cut}")
    return {
        key: path
        for key, path in named.items()
        if path and (Path(path).exists() or path in FETCHED)
    }
