import type { CM_INTERRUPT_RESOURCE, KIRQL } from '../kernel/index.ts';

/** Lowest DIRQL that lines get, and how many levels they are spread over: eight of the ten that there are for devices. */
const LOWEST_IRQL = 4;
const LEVELS = 8;

/** The DIRQL of a line: what a translated interrupt resource has as its level. Different lines of one PCI bus get different levels. */
export function irqlOfInterruptLine(line: number): KIRQL {
  return LOWEST_IRQL + (line % LEVELS);
}

/** The system vector of a line; its high digit is the IRQL, as on x64. */
export function vectorOfInterruptLine(line: number): number {
  return irqlOfInterruptLine(line) * 16 + Math.floor(line / LEVELS);
}

/** The line of the interrupt controller behind a translated vector: for ioConnectInterrupt. */
export function interruptLineOfVector(vector: number): number {
  return (vector & 0x0f) * LEVELS + ((vector >> 4) - LOWEST_IRQL);
}

/** The translated form of a raw interrupt resource, whose level and vector are the line. */
export function translateInterrupt(raw: CM_INTERRUPT_RESOURCE): CM_INTERRUPT_RESOURCE {
  return { ...raw, level: irqlOfInterruptLine(raw.level), vector: vectorOfInterruptLine(raw.level) };
}
