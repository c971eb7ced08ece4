"""Names and paths of label sets, looked up in the configuration."""


def words_of(w):
    """The word space that a label set's words must be in; S1 needs none."""
    space = part(w, "label_sets", w.label_set).space
    return f"results/spaces/{space}/meta.json" if space else []


def label_set_of_vectors(w):
    """The folder of the label set whose words' vectors these are."""
    return f"results/{w.dataset}/targets/{part(w, 'vectors', w.vectors)[0]}"


def space_of_vectors(w):
    """The word space that vectors are looked up in."""
    return below(w.dataset, part(w, "vectors", w.vectors)[1], "meta.json")[0]
