import type { IO_RESOURCE_DESCRIPTOR } from '../kernel/index.ts';
import { IO_RESOURCE_ALTERNATIVE } from '../kernel/index.ts';

/** What a device holds of the ISA bus: one entry a requirement, in the order of the requirements. */
export type IsaAssignment =
  | { readonly type: 'Port'; readonly start: number; readonly length: number }
  | { readonly type: 'Interrupt'; readonly line: number }
  | { readonly type: 'Dma'; readonly channel: number };

/** What the bus has to give. */
export interface IsaBusResources {
  /** Ports that nobody gets: the board's own, and those of other buses. Pairs of first and last. */
  readonly reservedPorts?: readonly (readonly [number, number])[];
  /** Lines that cards may get. */
  readonly interruptLines?: readonly number[];
  readonly dmaChannels?: readonly number[];
}

/** The board's chips, and the ports that programs expect of a PC whether they are there or not. */
const RESERVED_PORTS: readonly (readonly [number, number])[] = [
  [0x000, 0x0ff],
  [0x1f0, 0x1f7],
  [0x279, 0x279],
  [0x2f8, 0x2ff],
  [0x378, 0x37a],
  [0x3b0, 0x3df],
  [0x3f0, 0x3ff],
  [0x4d0, 0x4d1],
  [0xa79, 0xa79],
  [0xcf8, 0xcff],
];
/** Not the timer's, keyboard's, cascade's, serial ports', floppy's, clock's, coprocessor's and disks'. */
const INTERRUPT_LINES: readonly number[] = [5, 7, 9, 10, 11, 12];
/** Not the floppy's and the cascade's. */
const DMA_CHANNELS: readonly number[] = [0, 1, 3, 5, 6, 7];

interface Held {
  readonly owner: unknown;
  readonly assignment: IsaAssignment;
}

/** Hands out ports, lines and channels of the ISA bus, none twice. */
export class IsaArbiter {
  readonly #reservedPorts: readonly (readonly [number, number])[];
  readonly #lines: readonly number[];
  readonly #channels: readonly number[];
  #held: Held[] = [];

  constructor(resources: IsaBusResources = {}) {
    this.#reservedPorts = resources.reservedPorts ?? RESERVED_PORTS;
    this.#lines = resources.interruptLines ?? INTERRUPT_LINES;
    this.#channels = resources.dmaChannels ?? DMA_CHANNELS;
  }

  /** Takes exactly these, conflicts or not: a card that cannot be told otherwise has them already. */
  hold(owner: unknown, assignments: readonly IsaAssignment[]): void {
    this.release(owner);
    for (const assignment of assignments) this.#held.push({ owner, assignment });
  }

  release(owner: unknown): void {
    this.#held = this.#held.filter((held) => held.owner !== owner);
  }

  /**
   * Gives the owner what one list of requirements asks for, in place of what it held. A descriptor and the IO_RESOURCE_ALTERNATIVEs
   * behind it are one requirement. Null when the list cannot be met: the owner then holds what it held before.
   */
  assign(owner: unknown, list: readonly IO_RESOURCE_DESCRIPTOR[]): IsaAssignment[] | null {
    const before = this.#held;
    this.release(owner);
    const chosen: IsaAssignment[] = [];
    if (!this.#choose(owner, groupAlternatives(list), chosen)) {
      this.#held = before;
      return null;
    }
    return chosen;
  }

  #choose(
    owner: unknown,
    groups: readonly (readonly IO_RESOURCE_DESCRIPTOR[])[],
    chosen: IsaAssignment[],
  ): boolean {
    const group = groups[chosen.length];
    if (!group) return true;
    for (const descriptor of group) {
      for (const candidate of this.#candidates(descriptor)) {
        if (!this.#isFree(candidate)) continue;
        chosen.push(candidate);
        this.#held.push({ owner, assignment: candidate });
        if (this.#choose(owner, groups, chosen)) return true;
        chosen.pop();
        this.#held.pop();
      }
    }
    return false;
  }

  *#candidates(descriptor: IO_RESOURCE_DESCRIPTOR): Generator<IsaAssignment> {
    const { minimum, maximum, length } = descriptor;
    const step = Math.max(descriptor.alignment, 1);
    if (descriptor.type === 'Port') {
      for (let start = Math.ceil(minimum / step) * step; start + length - 1 <= maximum; start += step) {
        yield { type: 'Port', start, length };
      }
      return;
    }
    for (let value = minimum; value <= maximum; value++) {
      if (descriptor.type === 'Interrupt') yield { type: 'Interrupt', line: value };
      else if (descriptor.type === 'Dma') yield { type: 'Dma', channel: value };
    }
  }

  #isFree(candidate: IsaAssignment): boolean {
    switch (candidate.type) {
      case 'Port': {
        const last = candidate.start + candidate.length - 1;
        const reserved = this.#reservedPorts.some(([from, to]) => from <= last && candidate.start <= to);
        return !reserved && !this.#held.some(({ assignment }) => portsMeet(assignment, candidate));
      }
      case 'Interrupt':
        return (
          this.#lines.includes(candidate.line) &&
          !this.#held.some(
            ({ assignment }) => assignment.type === 'Interrupt' && assignment.line === candidate.line,
          )
        );
      case 'Dma':
        return (
          this.#channels.includes(candidate.channel) &&
          !this.#held.some(
            ({ assignment }) => assignment.type === 'Dma' && assignment.channel === candidate.channel,
          )
        );
    }
  }
}

/** Cards look at ten address lines, so that ports 400h apart are the same. */
function portsMeet(
  held: IsaAssignment,
  candidate: { readonly start: number; readonly length: number },
): boolean {
  if (held.type !== 'Port') return false;
  const distance = (candidate.start - held.start) & 0x3ff;
  return distance < held.length || 0x400 - distance < candidate.length;
}

/** Splits a list into requirements: a descriptor with the alternatives that follow it. */
export function groupAlternatives(
  list: readonly IO_RESOURCE_DESCRIPTOR[],
): readonly (readonly IO_RESOURCE_DESCRIPTOR[])[] {
  const groups: IO_RESOURCE_DESCRIPTOR[][] = [];
  for (const descriptor of list) {
    const last = groups.at(-1);
    if (last && (descriptor.option & IO_RESOURCE_ALTERNATIVE) !== 0) last.push(descriptor);
    else groups.push([descriptor]);
  }
  return groups;
}
