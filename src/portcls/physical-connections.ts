import type { IUnknown } from '../com/index.ts';
import { NtError, STATUS_INVALID_PARAMETER, STATUS_NOT_FOUND } from '../kernel/index.ts';
import type { AdapterDevice } from './adapter-device.ts';
import { portOf } from './port-identity.ts';
import type { PortBase } from './ports/port-base.ts';

/** An end of a connection: a port of this adapter, or another device's filter by its symbolic link. */
type End = PortBase | string;

/** The other end as KSPROPERTY_PIN_PHYSICALCONNECTION shows it. */
export interface PhysicalPeer {
  readonly symbolicLink: string;
  readonly pin: number;
}

interface Connection {
  readonly from: End;
  readonly fromPin: number;
  readonly to: End;
  readonly toPin: number;
}

/** The wires between an adapter's filters (and to other devices' filters) that the driver registered. */
export class PhysicalConnections {
  readonly #device: AdapterDevice;
  readonly #connections: Connection[] = [];

  constructor(device: AdapterDevice) {
    this.#device = device;
  }

  get count(): number {
    return this.#connections.length;
  }

  /** Records a connection. Throws STATUS_INVALID_PARAMETER for an object that is no port, or for a pin that does not exist. */
  register(from: IUnknown | string, fromPin: number, to: IUnknown | string, toPin: number): void {
    const connection = { from: this.#end(from, fromPin), fromPin, to: this.#end(to, toPin), toPin };
    this.#connections.push(connection);
  }

  /** Drops a connection registered with the same arguments; throws STATUS_NOT_FOUND when there is none. */
  unregister(from: IUnknown | string, fromPin: number, to: IUnknown | string, toPin: number): void {
    const fromEnd = typeof from === 'string' ? from : portOf(from);
    const toEnd = typeof to === 'string' ? to : portOf(to);
    const index = this.#connections.findIndex(
      (c) => c.from === fromEnd && c.fromPin === fromPin && c.to === toEnd && c.toPin === toPin,
    );
    if (index < 0) throw new NtError(STATUS_NOT_FOUND, 'no such physical connection is registered');
    this.#connections.splice(index, 1);
  }

  /** What is at the other end of a port's pin; null when nothing is, or when the peer is not registered as a subdevice (any more). */
  peer(port: PortBase, pin: number): PhysicalPeer | null {
    for (const connection of this.#connections) {
      if (connection.from === port && connection.fromPin === pin) {
        return this.#peer(connection.to, connection.toPin);
      }
      if (connection.to === port && connection.toPin === pin) {
        return this.#peer(connection.from, connection.fromPin);
      }
    }
    return null;
  }

  /** Forgets everything: the device goes. */
  clear(): void {
    this.#connections.length = 0;
  }

  #end(end: IUnknown | string, pin: number): End {
    if (typeof end === 'string') {
      if (end === '')
        throw new NtError(STATUS_INVALID_PARAMETER, 'the symbolic link of the other filter is empty');
      return end;
    }
    const port = portOf(end);
    if (port === null || !port.isInitialised || port.device !== this.#device) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        'a physical connection needs an initialised port of this adapter',
      );
    }
    if (port.descriptor.pins[pin] === undefined) {
      throw new NtError(STATUS_INVALID_PARAMETER, `the filter has no pin ${pin} to connect`);
    }
    return port;
  }

  #peer(end: End, pin: number): PhysicalPeer | null {
    const symbolicLink = typeof end === 'string' ? end : this.#device.subdeviceOf(end)?.symbolicLink;
    return symbolicLink === undefined || symbolicLink === null ? null : { symbolicLink, pin };
  }
}
