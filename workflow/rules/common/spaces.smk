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
    named = {key: getattr(chosen, key, "") for key in ("source", "words")}
    named["keep"] = chosen.filter.words
    if space_format(chosen) in EMBEDDED_CUTS:
        cut = EMBEDDED_CUTS[space_format(chosen)]
        named["embedded"] = source(f"src/emoword/resources/{cut}")
    return {
        key: path
        for key, path in named.items()
        if path and (Path(path).exists() or path in FETCHED)
    }


def space_format(chosen):
    """What the config calls `format`."""
    return chosen.__struct_config__.tag


def space_flags(name):
    """The options of `emoword space`; where the source is fetched from is not for it."""
    chosen = in_one_line(settings.one)(CONFIG, "spaces", name)
    own = {
        key: getattr(chosen, key, None)
        for key in ("source", "words", "vector", "hide_phrases")
    }
    words = chosen.filter
    return flags(
        {
            "format": space_format(chosen),
            **own,
            "most_frequent": words.most_frequent or None,
            "lowercase_alphabetic": words.lowercase_alphabetic,
            "spelled": words.spelled,
            "keep": words.words,
        }
    )
