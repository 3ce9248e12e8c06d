/**
 * The interrupt controllers as the HAL drives them. Drivers never see them: a driver connects to a line's vector, and the kernel orders
 * interrupts by their IRQL, not by the chips' priorities. So the chips are initialized once, with every line open, and an interrupt ends
 * there (EOI) at the moment it is taken, before its service routine runs; a further edge on the line is then remembered by the chip.
 */
import {
  PIC_CASCADE_LINE,
  PIC_ICW1,
  PIC_ICW1_ICW4,
  PIC_ICW4_8086,
  PIC_OCW2_EOI,
  PIC_OCW2_SPECIFIC,
  PIC1_PORT,
  PIC2_PORT,
} from './isa-registers.ts';

/** The vectors that NT gives the chips' sixteen lines on a PC without APICs. */
export const PIC_VECTOR_BASE = 0x30;

/** How the HAL reaches the chips: byte cycles at ports, and the interrupt acknowledge cycles. */
export interface PicBus {
  readPort(port: number): number;
  writePort(port: number, value: number): void;
  /** INTA#: returns the vector that the chips drive. */
  acknowledge(): number;
}

/** Initializes both chips: edges, 8086 vectors, cascade on line 2, no automatic EOI, no line masked. */
export function initializePics(bus: PicBus): void {
  const chips = [
    [PIC1_PORT, PIC_VECTOR_BASE, 1 << PIC_CASCADE_LINE],
    [PIC2_PORT, PIC_VECTOR_BASE + 8, PIC_CASCADE_LINE],
  ] as const;
  for (const [port, vector, icw3] of chips) {
    bus.writePort(port, PIC_ICW1 | PIC_ICW1_ICW4);
    bus.writePort(port + 1, vector);
    bus.writePort(port + 1, icw3);
    bus.writePort(port + 1, PIC_ICW4_8086);
    bus.writePort(port + 1, 0x00);
  }
}

/**
 * Takes the interrupt of one line out of the chips and ends it there. The kernel has chosen the line by its IRQL; all others are masked
 * meanwhile, so that the chips choose the same. Returns false when the request was gone by then (the chips answered with a spurious
 * vector); a specific EOI for a level that is not in service does nothing, so that the end of it is the same.
 */
export function takePicInterrupt(bus: PicBus, line: number): boolean {
  const masks = [bus.readPort(PIC1_PORT + 1), bus.readPort(PIC2_PORT + 1)] as const;
  const onSlave = line >= 8;
  const level = line & 7;
  bus.writePort(PIC1_PORT + 1, 0xff & ~(1 << (onSlave ? PIC_CASCADE_LINE : level)));
  if (onSlave) bus.writePort(PIC2_PORT + 1, 0xff & ~(1 << level));
  const vector = bus.acknowledge();
  if (onSlave) bus.writePort(PIC2_PORT, PIC_OCW2_EOI | PIC_OCW2_SPECIFIC | level);
  bus.writePort(PIC1_PORT, PIC_OCW2_EOI | PIC_OCW2_SPECIFIC | (onSlave ? PIC_CASCADE_LINE : level));
  if (onSlave) bus.writePort(PIC2_PORT + 1, masks[1]);
  bus.writePort(PIC1_PORT + 1, masks[0]);
  return vector === PIC_VECTOR_BASE + line;
}
