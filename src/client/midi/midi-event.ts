/** MIDI bytes and when they are due or came. */
export interface TimedMidi {
  /** 100-ns units since the beginning. */
  readonly time100ns: number;
  /** One whole message with its status byte, unless it says otherwise where it comes from. */
  readonly bytes: Uint8Array;
}

/** Is it a note-on with a velocity? */
export function isNoteOn(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & 0xf0) === 0x90 && (bytes[2] ?? 0) > 0;
}
