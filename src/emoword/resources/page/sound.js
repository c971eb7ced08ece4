// Waveform and spectrogram of an utterance, drawn from the bytes of its audio.
"use strict";

window.emoword.sound = (() => {
  const [WINDOW, LOUD, DEEP] = [512, 10, 70]; // samples; dB below the loudest drawn as dark as it; dB below these drawn as nothing
  const HANN = Float64Array.from({ length: WINDOW }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / WINDOW));

  // Powers of the window's frequencies, by Cooley and Tukey's transform in place.
  function powers(samples, start) {
    const real = HANN.map((weight, n) => weight * (samples[start + n] ?? 0));
    const other = new Float64Array(WINDOW);
    for (let i = 1, j = 0; i < WINDOW; i++) {
      let bit = WINDOW >> 1;
      for (; j & bit; bit >>= 1) j ^= bit;
      j ^= bit;
      if (i < j) [real[i], real[j]] = [real[j], real[i]];
    }
    for (let half = 1; half < WINDOW; half *= 2) {
      for (let k = 0; k < half; k++) {
        const [c, s] = [Math.cos((Math.PI * k) / half), -Math.sin((Math.PI * k) / half)];
        for (let i = k; i < WINDOW; i += 2 * half) {
          const [x, y] = [real[i + half] * c - other[i + half] * s, real[i + half] * s + other[i + half] * c];
          [real[i + half], other[i + half]] = [real[i] - x, other[i] - y];
          real[i] += x;
          other[i] += y;
        }
      }
    }
    return real.subarray(0, WINDOW / 2).map((x, k) => x * x + other[k] * other[k]);
  }

  function wave(canvas, samples, colour) {
    const context = canvas.getContext("2d");
    context.fillStyle = colour;
    const [width, middle] = [canvas.width, canvas.height / 2];
    const loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-6);
    for (let x = 0; x < width; x++) {
      const piece = samples.subarray(Math.floor((x * samples.length) / width), Math.ceil(((x + 1) * samples.length) / width));
      const [low, high] = [Math.min(...piece), Math.max(...piece)].map((v) => (v / loudest) * middle);
      context.fillRect(x, middle - high, 1, Math.max(1, high - low));
    }
  }

  function spectrogram(canvas, samples, colour) {
    const context = canvas.getContext("2d");
    const columns = Array.from({ length: canvas.width }, (_, x) =>
      powers(samples, Math.round(((x + 0.5) * samples.length) / canvas.width - WINDOW / 2)));
    const loudest = columns.reduce((most, column) => Math.max(most, ...column), 1e-12);
    const image = context.createImageData(canvas.width, WINDOW / 2);
    const [red, green, blue] = colour.match(/\d+/g).map(Number);
    columns.forEach((column, x) => column.forEach((power, k) => {
      const level = 1 + (10 * Math.log10(Math.max(power, 1e-12) / loudest) + LOUD) / DEEP;
      image.data.set([red, green, blue, 255 * Math.min(1, Math.max(0, level))], 4 * ((WINDOW / 2 - 1 - k) * canvas.width + x));
    }));
    context.putImageData(image, 0, 0);
  }

  // Decoded at 16 kHz, so that the spectrogram reaches from 0 to 8 kHz.
  async function draw(bytes, waves, spectra) {
    const audio = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(bytes);
    const samples = audio.getChannelData(0);
    const colour = getComputedStyle(waves).color;
    wave(waves, samples, colour);
    spectrogram(spectra, samples, colour);
    return audio.duration;
  }
  return { draw };
})();
