/** Size of the firmware image: the last 64 KiB below 4 GiB (and below 1 MiB). */
export const ROM_BYTES = 64 * 1024;
/** The processor starts 16 bytes below the end (reset vector FFFFFFF0h). */
const RESET_VECTOR = ROM_BYTES - 16;

/**
 * A firmware whose only work is to do nothing: CLI, HLT, and back to HLT should a non-maskable interrupt wake the processor.
 * The guest's processor then never touches the cards, which are all ours.
 */
export function haltingRom(): Uint8Array {
  const rom = new Uint8Array(ROM_BYTES).fill(0xf4);
  rom.set([0xfa, 0xf4, 0xeb, 0xfd], RESET_VECTOR);
  return rom;
}
