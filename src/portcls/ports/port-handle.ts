import type { IUnknown } from '../../com/index.ts';
import {
  type FILE_OBJECT,
  type IRP,
  type NTSTATUS,
  NtError,
  STATUS_INVALID_DEVICE_REQUEST,
  type UserProcess,
} from '../../kernel/index.ts';
import { type KSDATAFORMAT, type KSPIN_CONNECT, type KSSTATE, KSSTATE_RUN } from '../../ks/index.ts';
import type { DeviceLock } from '../device-lock.ts';
import type { PortBase } from './port-base.ts';

/** An open filter handle. */
export class PortFilter {
  readonly kind = 'filter';
  readonly port: PortBase;
  readonly fileObject: FILE_OBJECT;
  /** Pins that are open on this filter instance. */
  readonly pins = new Set<PortPin>();
  /** The client's last handle is gone; only requests under way still refer to the file. */
  cleanedUp = false;
  /** Filter requests have no stream: PCPROPERTY_REQUEST.minorTarget is null. */
  readonly stream: IUnknown | null = null;

  /** The client closed the filter's handle, and pins are still open. */
  closed = false;

  constructor(port: PortBase, fileObject: FILE_OBJECT) {
    this.port = port;
    this.fileObject = fileObject;
  }

  get filter(): PortFilter {
    return this;
  }

  /** Instances of a pin factory on this filter. */
  pinInstances(pinId: number): number {
    let count = 0;
    for (const pin of this.pins) if (pin.pinId === pinId) count++;
    return count;
  }
}

/** What a port gets to make a pin from: a create request that passed all general checks. */
export interface PinCreate {
  readonly filter: PortFilter;
  readonly fileObject: FILE_OBJECT;
  readonly irp: IRP;
  readonly pinId: number;
  readonly connect: KSPIN_CONNECT;
  /** The connect structure's format, decoded. */
  readonly dataFormat: KSDATAFORMAT;
  readonly process: UserProcess | null;
}

/** What a pin gets to make an object under it from: a create request relative to the pin's file. */
export interface PinObjectCreate {
  readonly fileObject: FILE_OBJECT;
  /** KSSTRING_Clock and its like, upper case. */
  readonly objectClass: string;
  readonly parameters: Uint8Array | null;
}

/** An object that a client opened under a pin: its clock. All methods at PASSIVE_LEVEL unless they say otherwise. */
export abstract class PinObject {
  readonly kind = 'object';
  readonly fileObject: FILE_OBJECT;
  readonly pin: PortPin;

  constructor(pin: PortPin, create: PinObjectCreate) {
    this.pin = pin;
    this.fileObject = create.fileObject;
    pin.objects.add(this);
  }

  /** Answers a device-control request. Throws NtError. */
  abstract deviceControl(ioControlCode: number, irp: IRP): NTSTATUS;

  /** The stream has moved on. Under the pin's lock, at DISPATCH_LEVEL. */
  tick(): void {}

  /** The client's last handle is gone. */
  cleanup(): void {}
}

/**
 * An open pin handle. A port with streams derives its pin class and makes one in {@link PortBase.createPin}; all methods are
 * called at PASSIVE_LEVEL with the device lock held.
 */
export abstract class PortPin {
  readonly kind = 'pin';
  readonly filter: PortFilter;
  readonly port: PortBase;
  readonly fileObject: FILE_OBJECT;
  readonly pinId: number;
  readonly connect: KSPIN_CONNECT;
  /** The client's last handle is gone; only requests under way still refer to the file. */
  cleanedUp = false;
  /** The process that opened the pin; null for kernel-mode clients. */
  readonly process: UserProcess | null;
  /** Open objects under the pin. */
  readonly objects = new Set<PinObject>();

  constructor(create: PinCreate) {
    this.filter = create.filter;
    this.port = create.filter.port;
    this.fileObject = create.fileObject;
    this.pinId = create.pinId;
    this.connect = create.connect;
    this.process = create.process;
  }

  /** The miniport's stream object, as PCPROPERTY_REQUEST.minorTarget shows it and as IPowerNotify is asked of; null before and after. */
  abstract readonly stream: IUnknown | null;

  /** The stream's state: once the device is stopped or gone, only requests for a lower one reach the pin. */
  abstract readonly state: KSSTATE;

  /** True while the stream moves data, so that idle detection does not power the device down. */
  get active(): boolean {
    return this.state === KSSTATE_RUN;
  }

  /** Power goes down: take the stream from RUN to PAUSE and remember it. Must not throw. */
  abstract suspend(): void;

  /** Power is back: take the stream where {@link suspend} found it. Must not throw. */
  abstract resume(): void;

  /** PnP stop or removal: take the stream to STOP; upward state requests fail from now on when `forGood`. Must not throw. */
  abstract stop(forGood: boolean): void;

  /**
   * May the device be stopped for a rebalance with this stream open (P-24: packet mode, or no registers mapped)?
   */
  abstract readonly allowsRebalance: boolean;

  /** The handle's last reference is gone: stop, free the buffer, release the stream. Must not throw. */
  abstract close(): void;

  /** The device was stopped or is gone: stream requests that wait end now, and no new ones come. May come twice. Must not throw. */
  retire(): void {}

  /** The handle was closed: cancel what is pending. */
  cleanup(): void {}

  /**
   * Makes an object under the pin. Throws STATUS_INVALID_DEVICE_REQUEST for a pin that has none, STATUS_OBJECT_NAME_NOT_FOUND for a
   * class that it does not know.
   */
  createObject(create: PinObjectCreate): PinObject {
    throw new NtError(
      STATUS_INVALID_DEVICE_REQUEST,
      `this pin has no objects of class ${create.objectClass} under it`,
    );
  }

  /**
   * The lock under which to serve a property request (`input` is its KSPROPERTY), when it is one that this pin serialises apart
   * from the device's other requests; null: under the device's lock.
   */
  lockFor(_input: Uint8Array): DeviceLock | null {
    return null;
  }

  /** Device-control requests that are not property, event or method requests (stream reads and writes, reset). */
  deviceControl?(ioControlCode: number, irp: IRP): NTSTATUS;
}

/** The object behind a file object. */
export type PortHandle = PortFilter | PortPin;
