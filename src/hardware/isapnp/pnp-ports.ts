import type { BusTarget, IsaPnpTarget, IsaPorts } from '../../hal/bus.ts';
import { ISAPNP_ADDRESS_PORT, ISAPNP_WRITE_DATA_PORT } from '../../hal/isapnp-registers.ts';

/** How the ports get onto the bus. */
export type MapPort = (name: string, port: number, target: BusTarget) => IsaPorts;

/**
 * The three Plug and Play ports of an ISA bus: what is written reaches every card; what is read is what all cards drive together (open
 * collector lines: a 0 wins), FFh when none does. READ_DATA lies where the cards were told.
 */
export class IsaPnpPorts {
  readonly #cards: IsaPnpTarget[] = [];
  readonly #mapPort: MapPort;
  readonly #readPorts = new Map<number, IsaPorts>();
  readonly #ports: readonly IsaPorts[];

  constructor(mapPort: MapPort) {
    this.#mapPort = mapPort;
    const writeOnly = (write: (value: number) => void): BusTarget => ({
      read: () => 0xff,
      write: (_offset, _size, value) => write(value & 0xff),
    });
    this.#ports = [
      mapPort(
        'ISA PnP ADDRESS',
        ISAPNP_ADDRESS_PORT,
        writeOnly((value) => {
          for (const card of this.#cards) card.writeAddress(value);
          this.#refresh();
        }),
      ),
      mapPort(
        'ISA PnP WRITE_DATA',
        ISAPNP_WRITE_DATA_PORT,
        writeOnly((value) => {
          for (const card of this.#cards) card.writeData(value);
          this.#refresh();
        }),
      ),
    ];
  }

  add(card: IsaPnpTarget): void {
    this.#cards.push(card);
    this.#refresh();
  }

  remove(card: IsaPnpTarget): void {
    const index = this.#cards.indexOf(card);
    if (index >= 0) this.#cards.splice(index, 1);
    this.#refresh();
  }

  /** Takes the ports off the bus. */
  unmap(): void {
    for (const ports of [...this.#ports, ...this.#readPorts.values()]) ports.unmap();
    this.#readPorts.clear();
  }

  #read(port: number): number {
    const listening = this.#cards.filter((card) => card.readDataPort === port);
    let bus = 0xff;
    for (const card of listening) bus &= card.drive() ?? 0xff;
    for (const card of listening) card.observe(bus);
    this.#refresh();
    return bus;
  }

  /** Follows the ports at which cards answer now. */
  #refresh(): void {
    const wanted = new Set<number>();
    for (const { readDataPort } of this.#cards) if (readDataPort !== null) wanted.add(readDataPort);
    for (const [port, mapped] of this.#readPorts) {
      if (wanted.has(port)) continue;
      mapped.unmap();
      this.#readPorts.delete(port);
    }
    for (const port of wanted) {
      if (this.#readPorts.has(port)) continue;
      const target: BusTarget = { read: () => this.#read(port), write: () => {} };
      this.#readPorts.set(port, this.#mapPort('ISA PnP READ_DATA', port, target));
    }
  }
}
