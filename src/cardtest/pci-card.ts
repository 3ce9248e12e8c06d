import type { AccessSize } from '../kernel/index.ts';
import type { CardUnderTest, CardWindow } from './card-under-test.ts';
import type { PciBench } from './pci-bench.ts';
import { SwitchedCard } from './switched-card.ts';

/** A PCI card of QEMU: its `-device` name, or, where the sound is in a device on the card's own bus, both names. */
export type QemuPciCard = string | { readonly controller: string; readonly device: string };

/** A PCI card under test on any machine. */
export class PciCardUnderTest extends SwitchedCard<PciBench> implements CardUnderTest {
  get windows(): readonly (CardWindow | null)[] {
    return this.bench.windows;
  }

  readBar(bar: number, offset: number, size: AccessSize): number {
    return this.bench.readBar(bar, offset, size);
  }

  writeBar(bar: number, offset: number, size: AccessSize, value: number): void {
    this.bench.writeBar(bar, offset, size, value);
  }

  readConfig(offset: number, size: AccessSize): number {
    return this.bench.readConfig(offset, size);
  }

  writeConfig(offset: number, size: AccessSize, value: number): void {
    this.bench.writeConfig(offset, size, value);
  }
}
