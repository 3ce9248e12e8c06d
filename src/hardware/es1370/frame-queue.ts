/** Stereo frames of 16 bits that wait for their turn, first in, first out. */
export class FrameQueue {
  #samples = new Int16Array(2048);
  #first = 0;
  #length = 0;

  /** Frames that wait. */
  get length(): number {
    return this.#length;
  }

  push(samples: Int16Array, frames: number): void {
    const needed = (this.#first + this.#length + frames) * 2;
    if (needed > this.#samples.length) this.#makeRoom(frames);
    this.#samples.set(samples.subarray(0, frames * 2), (this.#first + this.#length) * 2);
    this.#length += frames;
  }

  /** Takes `frames` frames; where fewer wait, silence follows them. */
  take(into: Float64Array, frames: number): void {
    const taken = Math.min(frames, this.#length);
    for (let index = 0; index < taken * 2; index++) into[index] = this.#samples[this.#first * 2 + index]!;
    into.fill(0, taken * 2, frames * 2);
    this.#first += taken;
    this.#length -= taken;
    if (this.#length === 0) this.#first = 0;
  }

  clear(): void {
    this.#first = 0;
    this.#length = 0;
  }

  #makeRoom(frames: number): void {
    const waiting = this.#samples.subarray(this.#first * 2, (this.#first + this.#length) * 2);
    const wanted = (this.#length + frames) * 2;
    if (wanted > this.#samples.length) {
      const grown = new Int16Array(Math.max(wanted, this.#samples.length * 2));
      grown.set(waiting);
      this.#samples = grown;
    } else this.#samples.set(waiting);
    this.#first = 0;
  }
}
