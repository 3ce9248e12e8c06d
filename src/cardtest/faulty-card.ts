import type { AccessSize, BusTarget, IsaCard, IsaSlot, PciCard } from '../hal/bus.ts';

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

/** The ports of an ISA card itself, behind the fault. */
export interface PortAccess {
  read(port: number): number;
  write(port: number, value: number): void;
  /** What software wrote to the port last, 0 when nothing. */
  lastWritten(port: number): number;
}

/** A fault between software and the ports of an ISA card: it carries out each access as it likes. */
export interface PortFault {
  readonly read?: (port: number, card: PortAccess) => number;
  readonly write?: (port: number, value: number, card: PortAccess) => void;
}

/** An ISA card with a fault between its ports and the bus. */
export function withIsaFault(card: IsaCard, fault: PortFault): IsaCard {
  const windows = new Map<number, BusTarget>();
  const written = new Map<number, number>();
  const access: PortAccess = {
    read: (port) => windows.get(port)?.read(port, 1) ?? 0xff,
    write: (port, value) => windows.get(port)?.write(port, 1, value),
    lastWritten: (port) => written.get(port) ?? 0,
  };
  const faulty = (start: number): BusTarget => ({
    read: (offset) => fault.read?.(start + offset, access) ?? access.read(start + offset),
    write: (offset, _size, value) => {
      if (fault.write) fault.write(start + offset, value, access);
      else access.write(start + offset, value);
      written.set(start + offset, value);
    },
  });
  const between = (slot: IsaSlot): IsaSlot => ({
    clock: slot.clock,
    report: slot.report,
    connectInterrupt: (irq) => slot.connectInterrupt(irq),
    connectDma: (channel, device) => slot.connectDma(channel, device),
    mapPorts: (name, start, length, target, addressLines) => {
      const own: BusTarget = {
        read: (port, size) => target.read(port - start, size),
        write: (port, size, value) => target.write(port - start, size, value),
      };
      for (let port = start; port < start + length; port++) windows.set(port, own);
      return slot.mapPorts(name, start, length, faulty(start), addressLines);
    },
  });
  return {
    name: card.name,
    pnp: card.pnp,
    attach: (slot) => card.attach(between(slot)),
    reset: () => card.reset(),
    detach: () => card.detach(),
  };
}
