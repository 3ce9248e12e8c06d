import type { AccessSize, BusTarget, PciCard } from '../hal/bus.ts';

/** How a fault changes what software reads, or what reaches the card; both see the access as it was. */
export interface RegisterFault {
  readonly read?: (bar: number, offset: number, size: AccessSize, value: number) => number;
  readonly write?: (bar: number, offset: number, size: AccessSize, value: number) => number;
}

/** A card with a fault between its registers and the bus: to see that a test of the card finds it. */
export function withFault(card: PciCard, fault: RegisterFault): PciCard {
  const faulty = (target: BusTarget, bar: number): BusTarget => ({
    read: (offset, size) => {
      const value = target.read(offset, size);
      return fault.read?.(bar, offset, size, value) ?? value;
    },
    write: (offset, size, value) =>
      target.write(offset, size, fault.write?.(bar, offset, size, value) ?? value),
  });
  return {
    name: card.name,
    vendorId: card.vendorId,
    deviceId: card.deviceId,
    revisionId: card.revisionId,
    classCode: card.classCode,
    subsystemVendorId: card.subsystemVendorId,
    subsystemId: card.subsystemId,
    interruptPin: card.interruptPin,
    bars: card.bars.map((bar, index) => bar && { ...bar, target: faulty(bar.target, index) }),
    onConfigWrite: (offset, size, value) => card.onConfigWrite?.(offset, size, value),
    attach: (slot) => card.attach(slot),
    reset: () => card.reset(),
    detach: () => card.detach(),
  };
}
