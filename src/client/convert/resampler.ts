/** A stage between interleaved blocks of numbers: takes any amount, gives what it can. */
export interface FrameStage {
  readonly channels: number;
  /** Takes `frames` frames from the start of `samples`. */
  write(samples: Float64Array, frames: number): void;
  /** No more input will come: {@link read} gives the rest. */
  end(): void;
  /** Puts up to `maxFrames` frames into `into` from its start; returns how many. 0: more input is needed, or the end is reached. */
  read(into: Float64Array, maxFrames: number): number;
}

/** `standard`: flat to 91 % of the narrower band, 106 dB; `best`: flat to 95 %, stopped at its edge, 130 dB, four times the work. */
export type ResamplerQuality = 'standard' | 'best';

/**
 * Edges relative to half the lower of the two rates. `standard` lets the slope reach past the edge as far as it began before
 * it: what folds there stays above the pass band (20 kHz for 44.1 kHz), where it cannot be heard.
 */
const QUALITIES: Readonly<
  Record<
    ResamplerQuality,
    { readonly passEdge: number; readonly stopEdge: number; readonly attenuationDb: number }
  >
> = {
  standard: { passEdge: 0.907, stopEdge: 1.093, attenuationDb: 106 },
  best: { passEdge: 0.95, stopEdge: 1, attenuationDb: 130 },
};

/** Up to this many phases each has its own coefficients; above, neighbours of a table are interpolated linearly. */
const MAXIMUM_EXACT_PHASES = 1280;
/** Linear interpolation between 1/4096 sample steps errs by (π ÷ 4096)² ÷ 8, which is −142 dB. */
const INTERPOLATED_PHASES = 4096;

/**
 * Changes the sample rate by the exact ratio of two integers: a polyphase windowed-sinc filter (Kaiser window). Output frame n
 * is the band-limited signal at input time n × in ÷ out, so the filter's delay is compensated, nothing drifts, and n input
 * frames give exactly round(n × out ÷ in). Source of the window's design formulas: Kaiser 1974.
 */
export class Resampler implements FrameStage {
  readonly inputRate: number;
  readonly outputRate: number;
  readonly channels: number;
  readonly #phases: number;
  readonly #step: number;
  readonly #bank: FilterBank;
  /** Interleaved input, from the first frame that the next output needs on. */
  #buffer: Float64Array;
  #bufferedFrames: number;
  /** First frame of the window of the next output, in the buffer. */
  #start = 0;
  #phase = 0;
  #inputFrames = 0;
  #outputFrames = 0;
  #totalFrames = Number.POSITIVE_INFINITY;

  constructor(
    inputRate: number,
    outputRate: number,
    channels: number,
    quality: ResamplerQuality = 'standard',
  ) {
    const divisor = greatestCommonDivisor(inputRate, outputRate);
    this.inputRate = inputRate;
    this.outputRate = outputRate;
    this.channels = channels;
    this.#phases = outputRate / divisor;
    this.#step = inputRate / divisor;
    this.#bank = new FilterBank(this.#phases, outputRate / inputRate, quality);
    // Frames before the first one are silence: the window of output 0 is centred on input 0.
    this.#bufferedFrames = this.#bank.taps / 2 - 1;
    this.#buffer = new Float64Array((this.#bank.taps * 2 + 4096) * channels);
  }

  write(samples: Float64Array, frames: number): void {
    this.#room(frames);
    const count = frames * this.channels;
    const source = samples.length === count ? samples : samples.subarray(0, count);
    this.#buffer.set(source, this.#bufferedFrames * this.channels);
    this.#bufferedFrames += frames;
    this.#inputFrames += frames;
  }

  end(): void {
    if (this.#totalFrames !== Number.POSITIVE_INFINITY) return;
    const { taps } = this.#bank;
    this.#totalFrames = resampledLength(this.#inputFrames, this.inputRate, this.outputRate);
    const silence = taps + Math.ceil(this.inputRate / this.outputRate) + 1;
    this.#room(silence);
    const from = this.#bufferedFrames * this.channels;
    this.#buffer.fill(0, from, from + silence * this.channels);
    this.#bufferedFrames += silence;
  }

  read(into: Float64Array, maxFrames: number): number {
    const { taps } = this.#bank;
    // Outputs k = 0 … count−1 need start + floor((phase + k × step) ÷ phases) + taps ≤ buffered.
    const spare = this.#bufferedFrames - taps - this.#start;
    if (spare < 0) return 0;
    const possible = Math.floor((spare * this.#phases + this.#phases - 1 - this.#phase) / this.#step) + 1;
    const count = Math.min(maxFrames, possible, this.#totalFrames - this.#outputFrames);
    if (count <= 0) return 0;
    const { coefficients, interpolated } = this.#bank;
    if (interpolated) this.#interpolated(coefficients, into, count);
    else if (this.channels === 2) this.#stereo(coefficients, into, count);
    else this.#exact(coefficients, into, count);
    const advanced = this.#phase + count * this.#step;
    const whole = Math.floor(advanced / this.#phases);
    this.#start += whole;
    this.#phase = advanced - whole * this.#phases;
    this.#outputFrames += count;
    return count;
  }

  /**
   * Two channels, and two outputs at a time where their windows overlap: every coefficient and every sample fetched serves
   * two products, which is a quarter faster than one output at a time.
   */
  #stereo(coefficients: Float64Array, into: Float64Array, count: number): void {
    const buffer = this.#buffer;
    const { taps } = this.#bank;
    const phases = this.#phases;
    const step = this.#step;
    let phase = this.#phase;
    let start = this.#start;
    for (let output = 0; output < count; output += 2) {
      const offset = Math.floor((phase + step) / phases);
      const nextPhase = phase + step - offset * phases;
      const overlap = output + 1 < count ? Math.max(0, taps - offset) : 0;
      let left = 0;
      let right = 0;
      let nextLeft = 0;
      let nextRight = 0;
      let c = phase * taps;
      let d = nextPhase * taps;
      let x = start * 2;
      for (const end = c + taps - overlap; c < end; c++, x += 2) {
        const coefficient = coefficients[c]!;
        left += coefficient * buffer[x]!;
        right += coefficient * buffer[x + 1]!;
      }
      for (const end = c + overlap; c < end; c++, d++, x += 2) {
        const sampleLeft = buffer[x]!;
        const sampleRight = buffer[x + 1]!;
        const coefficient = coefficients[c]!;
        const next = coefficients[d]!;
        left += coefficient * sampleLeft;
        right += coefficient * sampleRight;
        nextLeft += next * sampleLeft;
        nextRight += next * sampleRight;
      }
      into[output * 2] = left;
      into[output * 2 + 1] = right;
      if (output + 1 === count) return;
      x = (start + offset + overlap) * 2;
      for (const end = (nextPhase + 1) * taps; d < end; d++, x += 2) {
        const coefficient = coefficients[d]!;
        nextLeft += coefficient * buffer[x]!;
        nextRight += coefficient * buffer[x + 1]!;
      }
      into[output * 2 + 2] = nextLeft;
      into[output * 2 + 3] = nextRight;
      const advance = Math.floor((nextPhase + step) / phases);
      start += offset + advance;
      phase = nextPhase + step - advance * phases;
    }
  }

  #exact(coefficients: Float64Array, into: Float64Array, count: number): void {
    const buffer = this.#buffer;
    const { channels } = this;
    const { taps } = this.#bank;
    let phase = this.#phase;
    let start = this.#start;
    for (let output = 0; output < count; output++) {
      const first = phase * taps;
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let x = start * channels + channel;
        for (let c = first; c < first + taps; c++, x += channels) sum += coefficients[c]! * buffer[x]!;
        into[output * channels + channel] = sum;
      }
      phase += this.#step;
      const whole = Math.floor(phase / this.#phases);
      start += whole;
      phase -= whole * this.#phases;
    }
  }

  #interpolated(coefficients: Float64Array, into: Float64Array, count: number): void {
    const buffer = this.#buffer;
    const { channels } = this;
    const { taps, tablePhases } = this.#bank;
    let phase = this.#phase;
    let start = this.#start;
    for (let output = 0; output < count; output++) {
      const position = (phase * tablePhases) / this.#phases;
      const below = Math.floor(position);
      const weight = position - below;
      const first = below * taps;
      for (let channel = 0; channel < channels; channel++) {
        let lower = 0;
        let upper = 0;
        let x = start * channels + channel;
        for (let c = first; c < first + taps; c++, x += channels) {
          lower += coefficients[c]! * buffer[x]!;
          upper += coefficients[c + taps]! * buffer[x]!;
        }
        into[output * channels + channel] = lower + (upper - lower) * weight;
      }
      phase += this.#step;
      const whole = Math.floor(phase / this.#phases);
      start += whole;
      phase -= whole * this.#phases;
    }
  }

  /** Makes room for `frames` more: throws away what no output needs, then grows. */
  #room(frames: number): void {
    const { channels } = this;
    if ((this.#bufferedFrames + frames) * channels <= this.#buffer.length) return;
    const drop = Math.min(this.#start, this.#bufferedFrames);
    this.#buffer.copyWithin(0, drop * channels, this.#bufferedFrames * channels);
    this.#start -= drop;
    this.#bufferedFrames -= drop;
    const needed = (this.#bufferedFrames + frames) * channels;
    if (needed > this.#buffer.length) {
      const larger = new Float64Array(needed * 2);
      larger.set(this.#buffer.subarray(0, this.#bufferedFrames * channels));
      this.#buffer = larger;
    }
  }
}

/** round(frames × outputRate ÷ inputRate), halves up, exact for every length that occurs. */
export function resampledLength(frames: number, inputRate: number, outputRate: number): number {
  const seconds = Math.floor(frames / inputRate);
  const rest = frames - seconds * inputRate;
  return seconds * outputRate + Math.floor((2 * rest * outputRate + inputRate) / (2 * inputRate));
}

/** The filter, cut into phases. */
class FilterBank {
  /** Input frames that one output looks at; a multiple of four. */
  readonly taps: number;
  /** Rows of the table, one more when they are interpolated. */
  readonly tablePhases: number;
  /** Row by row. */
  readonly coefficients: Float64Array;
  /** Whether an output lies between two rows. */
  readonly interpolated: boolean;

  constructor(phases: number, ratio: number, quality: ResamplerQuality) {
    const { passEdge, stopEdge, attenuationDb } = QUALITIES[quality];
    const narrowing = Math.min(1, ratio);
    const width = Math.PI * (stopEdge - passEdge) * narrowing;
    const length = (attenuationDb - 8) / (2.285 * width) + 1;
    this.taps = Math.ceil(length / 4) * 4;
    this.interpolated = phases > MAXIMUM_EXACT_PHASES;
    // Narrowing stretches the impulse response, so its table can be coarser by as much.
    this.tablePhases = this.interpolated ? Math.max(64, Math.ceil(INTERPOLATED_PHASES * narrowing)) : phases;
    const rows = this.tablePhases + (this.interpolated ? 1 : 0);
    const cutoff = ((passEdge + stopEdge) / 2) * narrowing;
    const beta = 0.1102 * (attenuationDb - 8.7);
    this.coefficients = new Float64Array(rows * this.taps);
    for (let row = 0; row < rows; row++) this.#fillRow(row, cutoff, beta);
  }

  /** Row p, tap j weighs the input frame that lies j − (taps ÷ 2 − 1) after the output's whole frame, p ÷ phases past it. */
  #fillRow(row: number, cutoff: number, beta: number): void {
    const { taps, coefficients, tablePhases } = this;
    const half = taps / 2;
    const base = row * taps;
    const full = besselI0(beta);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const time = row / tablePhases - (tap - half + 1);
      const edge = time / half;
      const window = edge * edge >= 1 ? 0 : besselI0(beta * Math.sqrt(1 - edge * edge)) / full;
      const angle = Math.PI * cutoff * time;
      const sinc = time === 0 ? cutoff : (cutoff * Math.sin(angle)) / angle;
      coefficients[base + tap] = sinc * window;
      sum += sinc * window;
    }
    // A constant stays that constant in every phase.
    for (let tap = 0; tap < taps; tap++) coefficients[base + tap] = coefficients[base + tap]! / sum;
  }
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
