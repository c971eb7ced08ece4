"""A small source-filter synthesiser whose voice follows a point in an emotion space.

It makes babble, not words: a string of syllables, each a stretch of noise and a vowel. Glottal
pulses and breath excite a cascade of formant resonators (Klatt, JASA 67, 1980), vowels have the
formants of Peterson and Barney (JASA 24, 1952), and what an emotion does to the voice is a linear
table in the directions that Juslin and Laukka (Psychological Bulletin 129, 2003) review. One cue,
``swell``, is no finding of theirs: it tells valence by the order of syllables alone, which a mean
or a deviation over time cannot see.

A point is (valence, arousal, dominance), each from about -1 to 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter, sosfilt

Array = NDArray[np.float64]

RATE = 16_000  # samples a second
FRAME = 160  # samples that share their formants: 10 ms

# First three formants of men's vowels in Hz: heed, head, had, hod, hawed, who'd, hud, heard
# fmt: off
VOWELS = np.array([
    [270.0, 2290, 3010], [530, 1840, 2480], [660, 1720, 2410], [730, 1090, 2440],
    [570, 840, 2410], [300, 870, 2240], [640, 1190, 2390], [490, 1350, 1690],
])
# fmt: on
HIGHER_FORMANTS = (3500.0, 4500.0)
BANDWIDTHS = np.array([70.0, 90.0, 140.0, 220.0, 300.0])
FRICTION = butter(2, (2500, 6000), btype="bandpass", fs=RATE, output="sos")

# cue: what valence, arousal and dominance of +1 each add to it, and the standard deviation of
# what varies from utterance to utterance for no reason at all
CUES = {
    "pitch": (1.0, 4.0, -0.5, 0.7),  # semitones above the speaker's own
    "range": (0.5, 0.7, 0.0, 0.2),  # octaves of the spread of the accents
    "rise": (2.0, 0.5, -1.0, 1.0),  # semitones from the first to the last syllable
    "tempo": (0.05, 0.35, 0.0, 0.1),  # octaves of the syllable rate
    "level": (0.0, 5.0, 2.0, 1.0),  # dB
    "breath": (7.0, -3.0, -5.0, 1.5),  # dB of aspiration
    "brightness": (-0.3, 0.8, 0.6, 0.15),  # octaves of the corner of the source's spectrum
    "smile": (0.1, 0.0, -0.02, 0.01),  # relative shift of all formants
    "roughness": (-0.9, 0.4, 0.3, 0.2),  # octaves of jitter and shimmer
    "articulation": (0.05, 0.1, 0.1, 0.06),  # relative size of the vowel space
    "swell": (20.0, 0.0, 0.0, 1.5),  # dB from the first to the last syllable
}


@dataclass(frozen=True)
class Voice:
    """What is a speaker's own, whatever the emotion."""

    pitch: float  # Hz
    tract: float  # the formants' factor: 1 for a man of average height, more if shorter
    level: float  # dB
    brightness: float  # octaves of the corner of the source's spectrum
    tempo: float  # octaves of the syllable rate
    expression: float  # how far the voice follows the emotion: 1 on average


def draw_voice(sex: str, rng: np.random.Generator) -> Voice:
    """Draw a speaker's voice; ``sex`` is ``F`` or ``M``."""
    pitch, tract = (195.0, 1.16) if sex == "F" else (115.0, 1.0)
    return Voice(
        pitch=pitch * 2 ** rng.normal(0, 0.12),
        tract=tract * 2 ** rng.normal(0, 0.03),
        level=rng.normal(0, 1),
        brightness=rng.normal(0, 0.15),
        tempo=rng.normal(0, 0.08),
        expression=rng.uniform(0.8, 1.2),
    )


def decibels(value: float) -> float:
    """Turn dB into a factor of the amplitude."""
    return float(10 ** (value / 20))


def glottal_pulses(pitch: Array, roughness: float, rng: np.random.Generator) -> Array:
    """Place one unit pulse a period of ``pitch`` in Hz, between the samples: both [samples].

    ``roughness`` is the standard deviation of a pulse's time in periods, and a fifth of that of its
    amplitude.
    """
    phase = np.cumsum(pitch / RATE)
    periods = np.arange(1, int(phase[-1]))
    times = np.interp(periods, phase, np.arange(len(phase)))
    times += rng.normal(0, roughness, len(times)) * RATE / pitch[times.astype(int)]
    times = np.clip(times, 0, len(pitch) - 2)
    sizes = np.maximum(1 + rng.normal(0, 5 * roughness, len(times)), 0)
    whole = times.astype(int)
    pulses = np.zeros(len(pitch))
    np.add.at(pulses, whole, sizes * (1 - (times - whole)))
    np.add.at(pulses, whole + 1, sizes * (times - whole))
    return pulses


def formant_filter(source: Array, formants: Array) -> Array:
    """Filter ``source`` [frames * FRAME] by ``formants`` in Hz [frames, 5], frame by frame.

    Each resonator has gain 1 at 0 Hz (Klatt 1980, equation 1); its state goes on from frame to
    frame, so that there are no clicks.
    """
    radius = np.exp(-np.pi * BANDWIDTHS / RATE)
    sections = np.zeros((*formants.shape, 6))
    sections[..., 3] = 1
    sections[..., 4] = -2 * radius * np.cos(2 * np.pi * formants / RATE)
    sections[..., 5] = radius**2
    sections[..., 0] = sections[..., 3:].sum(axis=-1)
    state = np.zeros((formants.shape[1], 2))
    filtered = np.empty_like(source)
    for number, frame_sections in enumerate(sections):
        part = slice(number * FRAME, (number + 1) * FRAME)
        filtered[part], state = sosfilt(frame_sections, source[part], zi=state)
    return filtered


def low_pass(signal: Array, corner: float) -> Array:
    """Filter with one pole: -6 dB an octave above ``corner`` Hz, gain 1 at 0 Hz."""
    pole = np.exp(-2 * np.pi * corner / RATE)
    return np.asarray(lfilter([1 - pole], [1, -pole], signal))


@dataclass(frozen=True)
class Rhythm:
    """When the syllables are said; all but ``frames`` in frames, [syllables]."""

    frames: int  # of the whole utterance
    starts: Array
    ends: Array
    consonants: Array  # the length of the noise that a syllable begins with

    def track(self, values: Array) -> Array:
        """Glide between ``values`` [syllables] in the middle of the vowels: [frames]."""
        nuclei = (self.starts + self.consonants + self.ends) / 2
        return np.interp(np.arange(self.frames), nuclei, values)

    def hum(self, starts: Array, ends: Array, heights: Array) -> Array:
        """Give arches of ``heights`` from ``starts`` to ``ends``, all [syllables]: [samples]."""
        time = np.arange(self.frames * FRAME) / FRAME
        syllable = np.clip(np.searchsorted(self.ends, time), 0, len(self.ends) - 1)
        place = (time - starts[syllable]) / (ends - starts)[syllable]
        return np.asarray(heights[syllable] * np.sin(np.pi * np.clip(place, 0, 1)) ** 0.5)


def draw_rhythm(tempo: float, rng: np.random.Generator) -> Rhythm:
    """Draw an utterance of 1 to 2.9 s at 4.5 syllables a second, ``tempo`` octaves faster."""
    seconds = float(np.clip(1.3 * 2 ** rng.normal(0, 0.35), 1.0, 2.9))
    frames = round(seconds * RATE / FRAME)
    count = max(3, round(seconds * 4.5 * 2**tempo))
    lengths = 2 ** rng.normal(0, 0.3, count)
    edges = np.concatenate([[0], np.cumsum(lengths) / lengths.sum()])
    edges = frames * (0.04 + 0.92 * edges)  # a little silence at both ends
    consonants = rng.uniform(0.2, 0.4, count) * np.diff(edges)
    return Rhythm(frames, edges[:-1], edges[1:], consonants)


def draw_pitch(
    rhythm: Rhythm, voice: Voice, cues: dict[str, float], rng: np.random.Generator
) -> Array:
    """Draw the fundamental frequency in Hz at every sample: accents over a fall or a rise."""
    accents = rng.normal(0, 1.3 * 2 ** cues["range"], len(rhythm.starts))
    # calm speech falls by two semitones
    accents += (cues["rise"] - 2) * np.linspace(-0.5, 0.5, len(accents))
    semitones = cues["pitch"] + rhythm.track(accents)
    pitch = np.clip(voice.pitch * 2 ** (semitones / 12), 60, 600)
    return np.interp(np.arange(rhythm.frames * FRAME) / FRAME, np.arange(rhythm.frames), pitch)


def draw_formants(
    rhythm: Rhythm, voice: Voice, cues: dict[str, float], rng: np.random.Generator
) -> Array:
    """Draw the formants in Hz, [frames, 5]: a vowel at each nucleus, and glides in between."""
    mean = VOWELS.mean(axis=0)
    vowels = mean + (VOWELS - mean) * (1 + cues["articulation"])
    vowels = vowels[rng.integers(len(vowels), size=len(rhythm.starts))]
    vowels *= 2 ** rng.normal(0, 0.06, vowels.shape)
    tracks = [rhythm.track(vowels[:, number]) for number in range(3)]
    tracks += [np.full(rhythm.frames, formant) for formant in HIGHER_FORMANTS]
    return np.asarray(np.stack(tracks, axis=1) * voice.tract * (1 + cues["smile"]))


def synthesise(point: Array, voice: Voice, rng: np.random.Generator) -> Array:
    """Synthesise one utterance of 1 to 2.9 s, mostly under 2 s.

    ``point`` is valence, arousal, dominance [3]; the signal has 16 kHz, within -0.99 and 0.99.
    """
    cues = {
        cue: float(voice.expression * (point @ table[:3]) + rng.normal(0, table[3]))
        for cue, table in CUES.items()
    }
    rhythm = draw_rhythm(cues["tempo"] + voice.tempo, rng)
    formants = draw_formants(rhythm, voice, cues, rng)
    pitch = draw_pitch(rhythm, voice, cues, rng)

    pulses = glottal_pulses(pitch, 0.008 * 2 ** cues["roughness"], rng)
    corner = 900 * 2 ** (cues["brightness"] + voice.brightness)
    glottis = low_pass(low_pass(pulses, corner), 3 * corner)
    glottis = (glottis - glottis.mean()) / glottis.std()
    breath = decibels(cues["breath"] - 22) * rng.normal(0, 1, len(pitch))
    begins = rhythm.starts + rhythm.consonants  # of the vowels
    swell = 10 ** (cues["swell"] / 20 * np.linspace(-0.5, 0.5, len(begins)))  # by syllable
    voicing = rhythm.hum(begins, rhythm.ends, swell)
    voiced = formant_filter((glottis + breath) * voicing, formants)

    friction = np.asarray(sosfilt(FRICTION, rng.normal(0, 1, len(pitch))))
    friction *= rhythm.hum(rhythm.starts, begins, swell * rng.uniform(0, 1, len(begins)))
    signal = voiced / voiced.std() + 0.8 * friction
    signal *= 0.04 * decibels(cues["level"] + voice.level)
    signal += rng.normal(0, 0.0004, len(signal))  # the room
    return np.asarray(signal * min(1, 0.99 / np.abs(signal).max()))
