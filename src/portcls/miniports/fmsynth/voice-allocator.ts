/** One of the chip's channels and the note on it. */
export interface Voice {
  readonly channel: number;
  /** MIDI channel and key of the note that is, or was last, on it. */
  midiChannel: number;
  key: number;
  /** `held`: the key is down. `pedal`: it was let go, the pedal holds it. `released`: it dies away. `free`: silent. */
  state: 'free' | 'released' | 'pedal' | 'held';
  /** When the note began or was released: a count that only rises. */
  since: number;
}

/** In which order voices are given up when a new note needs one. */
const ORDER: Readonly<Record<Voice['state'], number>> = { free: 0, released: 1, pedal: 2, held: 3 };

/**
 * Which of the chip's channels plays which note. A new note takes the same key's voice if it has one, else the one that is missed
 * least: silent, then dying the longest, then held by the pedal, then held by the key, always the oldest.
 */
export class VoiceAllocator {
  readonly voices: readonly Voice[];
  #count = 0;
  #stolen = 0;

  constructor(channels: number) {
    this.voices = Array.from({ length: channels }, (_, channel) => ({
      channel,
      midiChannel: -1,
      key: -1,
      state: 'free',
      since: 0,
    }));
  }

  /** Notes that were cut off for others while the key or the pedal held them. */
  get stolen(): number {
    return this.#stolen;
  }

  /** Voices of notes that are on. */
  get sounding(): number {
    return this.voices.reduce(
      (count, { state }) => count + (state === 'held' || state === 'pedal' ? 1 : 0),
      0,
    );
  }

  /** The voice for a new note; the caller silences what it still plays. */
  allocate(midiChannel: number, key: number): Voice {
    let chosen = this.voices[0] as Voice;
    for (const voice of this.voices) {
      if (voice.state !== 'free' && voice.midiChannel === midiChannel && voice.key === key) {
        chosen = voice;
        break;
      }
      const order = ORDER[voice.state] - ORDER[chosen.state];
      if (order < 0 || (order === 0 && voice.since < chosen.since)) chosen = voice;
    }
    const other = chosen.midiChannel !== midiChannel || chosen.key !== key;
    if (other && (chosen.state === 'held' || chosen.state === 'pedal')) this.#stolen++;
    chosen.midiChannel = midiChannel;
    chosen.key = key;
    this.#enter(chosen, 'held');
    return chosen;
  }

  release(voice: Voice): void {
    this.#enter(voice, 'released');
  }

  holdByPedal(voice: Voice): void {
    voice.state = 'pedal';
  }

  free(voice: Voice): void {
    this.#enter(voice, 'free');
  }

  /** Statistics begin anew. */
  resetStatistics(): void {
    this.#stolen = 0;
  }

  #enter(voice: Voice, state: Voice['state']): void {
    voice.state = state;
    voice.since = ++this.#count;
  }
}
