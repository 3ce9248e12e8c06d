/** Samples without zeros that repeat nowhere near: position in a recording is unmistakable. `seed` makes another one. */
export function testSignal(samples: number, seed: number): Int16Array {
  const signal = new Int16Array(samples);
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  for (let i = 0; i < samples; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const value = (state >>> 16) - 32_768;
    signal[i] = value === 0 ? 1 : value;
  }
  return signal;
}
