import { type GUID, guid, IID, type IUnknown } from '../../com/index.ts';
import type { KSDATAFORMAT, KSSTATE } from '../../ks/index.ts';
import type { IMiniport } from './iminiport.ts';
import type { IPort } from './iport.ts';
import type { IResourceList } from './iresourcelist.ts';
import type { IServiceGroup } from './iservicegroup.ts';

/** The MIDI port (DDI page IPortMidi). */
export interface IPortMidi extends IPort {
  /**
   * Tells the port that the device has something to say: bytes came in, or it can take bytes again. The group's members are called
   * in a DPC: IMiniportMidi::Service and then every stream that uses the group. null means the group of the miniport and those of
   * all its streams. To be called by the interrupt routine after it has cleared the cause. Any IRQL.
   */
  notify(serviceGroup: IServiceGroup | null): void;
  /**
   * Registers the miniport's service group before init has returned it, so that no early interrupt is lost. A group that was
   * registered before is left. PASSIVE_LEVEL.
   */
  registerServiceGroup(serviceGroup: IServiceGroup): void;
}

/** What IMiniportMidi::NewStream gives the port: one reference of each. */
export interface MidiNewStream {
  readonly stream: IMiniportMidiStream;
  /** The group that is notified for this stream; may be the miniport's own. null: the miniport's group serves the stream. */
  readonly serviceGroup: IServiceGroup | null;
}

/** A MIDI miniport (DDI page IMiniportMidi). */
export interface IMiniportMidi extends IMiniport {
  /**
   * Called once from IPort::Init. Returns the miniport's service group with one reference for the port, null when the device never
   * interrupts. Throws NtError when the hardware cannot be used. PASSIVE_LEVEL.
   */
  init(unknownAdapter: IUnknown | null, resourceList: IResourceList, port: IPortMidi): IServiceGroup | null;
  /** A stream in KSSTATE_STOP. Throws STATUS_INVALID_DEVICE_REQUEST for a pin or direction that has none. PASSIVE_LEVEL. */
  newStream(
    outerUnknown: IUnknown | null,
    pin: number,
    capture: boolean,
    dataFormat: KSDATAFORMAT,
  ): MidiNewStream;
  /** After a notification, before the port serves the streams. DISPATCH_LEVEL. */
  service(): void;
}

/** A MIDI stream (DDI page IMiniportMidiStream). */
export interface IMiniportMidiStream extends IUnknown {
  /** The format cannot become anything but MIDI: there is nothing to do. PASSIVE_LEVEL. */
  setFormat(dataFormat: KSDATAFORMAT): void;
  /** Only ever a neighbour of the present state. PASSIVE_LEVEL. */
  setState(state: KSSTATE): void;
  /**
   * Fills `buffer` from its start with bytes that came in and returns how many; 0 when there are no more. The port asks until it gets
   * 0. Throws STATUS_INVALID_DEVICE_REQUEST on a render stream. DISPATCH_LEVEL.
   */
  read(buffer: Uint8Array): number;
  /**
   * Sends bytes and returns how many the device took: all, or a multiple of four, or 0 while it is busy; the port comes again with the
   * rest. Throws STATUS_INVALID_DEVICE_REQUEST on a capture stream, STATUS_IO_DEVICE_ERROR when the device has failed.
   * DISPATCH_LEVEL.
   */
  write(buffer: Uint8Array): number;
}

/** Optional on a MIDI miniport: another technology than its own in its data ranges (DDI page IMusicTechnology). */
export interface IMusicTechnology extends IUnknown {
  /** Overwrites `technology` in every KSDATARANGE_MUSIC of the miniport's pins; before IPort::Init. PASSIVE_LEVEL. */
  setTechnology(technology: GUID): void;
}

export const IID_IPortMidi = new IID<IPortMidi>(
  'IID_IPortMidi',
  guid('{B4C90A40-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IMiniportMidi = new IID<IMiniportMidi>(
  'IID_IMiniportMidi',
  guid('{B4C90A41-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IMiniportMidiStream = new IID<IMiniportMidiStream>(
  'IID_IMiniportMidiStream',
  guid('{B4C90A42-5791-11D0-86F9-00A0C911B544}'),
);
export const IID_IMusicTechnology = new IID<IMusicTechnology>(
  'IID_IMusicTechnology',
  guid('{80396C3C-CBCB-409B-9F65-4F1E7467CDAF}'),
);
