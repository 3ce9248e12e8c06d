/** A file is no WAV file that can be read, or a format none that can be written. The message says what, which limit, and what helps. */
export class WavError extends Error {
  override readonly name = 'WavError';
}
