/** A MIDI miniport on a script, and a client that speaks to it by stream requests: for tests of the port. */
import { CUnknown, type IID, type IUnknown } from '../../../com/index.ts';
import {
  type DEVICE_POWER_STATE,
  DISPATCH_LEVEL,
  KDPC,
  keGetCurrentIrql,
  keInsertQueueDpc,
  type NTSTATUS,
  NtError,
  type PendingRequest,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_NOT_IMPLEMENTED,
} from '../../../kernel/index.ts';
import {
  decodeMusicRecords,
  encodeMusicRecords,
  encodeStreamHeaders,
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_WRITE_STREAM,
  KSCATEGORY_AUDIO,
  type KSDATAFORMAT,
  KSNODETYPE_SYNTHESIZER,
  KSPIN_COMMUNICATION_SINK,
  KSPIN_DATAFLOW_IN,
  KSPIN_DATAFLOW_OUT,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Connection,
  type KSSTATE,
  KSSTATE_RUN,
  KSSTREAM_HEADER,
  MIDI_DATA_FORMAT,
  type MusicRecord,
  midiDataRange,
  streamHeader,
  viewOf,
} from '../../../ks/index.ts';
import { pcNewPort, pcRegisterSubdevice, pcRequestNewPowerState } from '../../adapter-functions.ts';
import {
  CLSID_PortMidi,
  IID_IMiniport,
  IID_IMiniportMidi,
  IID_IMiniportMidiStream,
  IID_IPortMidi,
  type IMiniportMidi,
  type IMiniportMidiStream,
  type IPortMidi,
  type IServiceGroup,
  type MidiNewStream,
  type PCFILTER_DESCRIPTOR,
  PCFILTER_NODE,
  type PCPIN_DESCRIPTOR,
} from '../../ddi/index.ts';
import { pcNewServiceGroup } from '../../helpers/service-group.ts';
import { FakeMachine, ulongs } from '../../test-helpers.ts';

export const RENDER_PIN = 0;
export const CAPTURE_PIN = 1;

const pin = (dataFlow: 1 | 2): PCPIN_DESCRIPTOR => ({
  maxGlobalInstanceCount: 2,
  maxFilterInstanceCount: 2,
  minFilterInstanceCount: 0,
  kspinDescriptor: {
    dataRanges: [midiDataRange()],
    dataFlow,
    communication: KSPIN_COMMUNICATION_SINK,
    category: KSCATEGORY_AUDIO,
    name: null,
  },
});

const FILTER: PCFILTER_DESCRIPTOR = {
  pins: [pin(KSPIN_DATAFLOW_IN), pin(KSPIN_DATAFLOW_OUT)],
  nodes: [{ type: KSNODETYPE_SYNTHESIZER, name: null }],
  connections: [{ fromNode: PCFILTER_NODE, fromNodePin: 0, toNode: 0, toNodePin: 1 }],
};

/** What the miniport of a test does. */
export interface MidiScript {
  /** Streams get a service group of their own. */
  readonly streamGroups?: boolean;
  /** The miniport has no service group. */
  readonly noGroup?: boolean;
  /** The group is registered during Init already, and an interrupt comes at once. */
  readonly earlyGroup?: boolean;
  /** IMiniportMidiStream::Write in place of taking all. */
  write?(bytes: Uint8Array): number;
  /** IMiniportMidiStream::Read in place of the bytes given by {@link TestMidi.receive}. */
  read?(buffer: Uint8Array): number;
  init?(): void;
  newStream?(): void;
  setState?(state: KSSTATE): void;
  service?(): void;
}

/** A write that the miniport saw. */
export interface Written {
  readonly tick: number;
  readonly bytes: readonly number[];
}

class TestMidiStream extends CUnknown implements IMiniportMidiStream {
  readonly #miniport: TestMidi;
  readonly #capture: boolean;

  constructor(miniport: TestMidi, capture: boolean) {
    super('TestMidiStream');
    this.#miniport = miniport;
    this.#capture = capture;
  }

  setFormat(): void {
    this.#miniport.calls.push('SetFormat');
  }

  setState(state: KSSTATE): void {
    this.#miniport.calls.push(`SetState(${state})`);
    this.#miniport.script.setState?.(state);
  }

  read(buffer: Uint8Array): number {
    this.#miniport.levels.add(keGetCurrentIrql());
    if (!this.#capture) throw new NtError(STATUS_INVALID_DEVICE_REQUEST);
    if (this.#miniport.script.read !== undefined) return this.#miniport.script.read(buffer);
    const bytes = this.#miniport.input.splice(0, buffer.byteLength);
    buffer.set(bytes);
    return bytes.length;
  }

  write(buffer: Uint8Array): number {
    this.#miniport.levels.add(keGetCurrentIrql());
    if (this.#capture) throw new NtError(STATUS_INVALID_DEVICE_REQUEST);
    const taken = this.#miniport.script.write?.(buffer) ?? buffer.byteLength;
    this.#miniport.written.push({ tick: this.#miniport.now, bytes: [...buffer.subarray(0, taken)] });
    return taken;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportMidiStream) ? this : super.nonDelegatingQueryInterface(iid);
  }
}

/** The miniport: notes what is done to it. */
export class TestMidi extends CUnknown implements IMiniportMidi {
  readonly calls: string[] = [];
  readonly written: Written[] = [];
  readonly input: number[] = [];
  /** IRQLs at which Read, Write and Service were called. */
  readonly levels = new Set<number>();
  readonly script: MidiScript;
  group: IServiceGroup | null = null;
  readonly streamGroups: IServiceGroup[] = [];
  port: IPortMidi | null = null;
  readonly #clock: { readonly now: number };

  constructor(script: MidiScript, clock: { readonly now: number }) {
    super('TestMidi');
    this.script = script;
    this.#clock = clock;
  }

  get now(): number {
    return this.#clock.now;
  }

  init(_adapter: IUnknown | null, _list: unknown, port: IPortMidi): IServiceGroup | null {
    this.calls.push('Init');
    this.port = port;
    if (this.script.noGroup === true) {
      this.script.init?.();
      return null;
    }
    this.group = pcNewServiceGroup();
    if (this.script.earlyGroup === true) {
      port.registerServiceGroup(this.group);
      port.notify(this.group);
    }
    this.script.init?.();
    this.group.addRef();
    return this.group;
  }

  newStream(_outer: IUnknown | null, _pin: number, capture: boolean, _format: KSDATAFORMAT): MidiNewStream {
    this.calls.push(`NewStream(${capture ? 'capture' : 'render'})`);
    this.script.newStream?.();
    const stream = new TestMidiStream(this, capture);
    if (this.script.streamGroups !== true) return { stream, serviceGroup: null };
    const serviceGroup = pcNewServiceGroup();
    this.streamGroups.push(serviceGroup);
    return { stream, serviceGroup };
  }

  service(): void {
    this.levels.add(keGetCurrentIrql());
    this.calls.push('Service');
    this.script.service?.();
  }

  getDescription(): PCFILTER_DESCRIPTOR {
    return FILTER;
  }

  dataRangeIntersection(): number {
    throw new NtError(STATUS_NOT_IMPLEMENTED);
  }

  /** Bytes come in, and the interrupt routine notifies the port. */
  receive(...bytes: number[]): void {
    this.input.push(...bytes);
    this.port?.notify(this.streamGroups[0] ?? this.group);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportMidi) || iid.equals(IID_IMiniport)
      ? this
      : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.calls.push('destroyed');
    this.group?.release();
  }
}

/** A request under way or done. */
export interface Sent {
  status: NTSTATUS | null;
  information: number;
  /** When it was completed. */
  tick: number;
  readonly address: number;
  readonly headers: Uint8Array;
  readonly request: PendingRequest;
}

/** A machine with that driver, one filter handle, and helpers for stream requests. */
export class MidiMachine extends FakeMachine {
  readonly midi: TestMidi;
  readonly filter: number;

  constructor(script: MidiScript = {}, traceMask?: number) {
    let made: TestMidi | null = null;
    const machine: { clock: { readonly now: number } } = { clock: { now: 0 } };
    super({
      ...(traceMask === undefined ? {} : { traceMask }),
      startDevice: (deviceObject, irp, list) => {
        const miniport = new TestMidi(script, {
          get now() {
            return machine.clock.now;
          },
        });
        made = miniport;
        using port = pcNewPort(CLSID_PortMidi);
        try {
          port.init(deviceObject, irp, miniport, null, list);
          pcRegisterSubdevice(deviceObject, 'Midi', port);
        } finally {
          miniport.release();
        }
      },
    });
    machine.clock = this.kernel.clock;
    if (made === null) throw new Error('the device was not started');
    this.midi = made;
    this.filter = this.openFilter('Midi');
  }

  get now(): number {
    return this.kernel.clock.now;
  }

  pass(milliseconds: number): void {
    this.kernel.runFor(Math.round(milliseconds * 10_000));
  }

  open(pinId: number): number {
    return this.openPin(this.filter, pinId, MIDI_DATA_FORMAT);
  }

  setState(handle: number, state: KSSTATE): NTSTATUS {
    return this.property(
      handle,
      KSPROPSETID_Connection,
      KSPROPERTY_CONNECTION_STATE,
      KSPROPERTY_TYPE_SET,
      ulongs(state),
    ).status;
  }

  /** An open pin in RUN. */
  running(pinId: number): number {
    const handle = this.open(pinId);
    this.setState(handle, KSSTATE_RUN);
    return handle;
  }

  /** Sends records; `timeMs` is the presentation time. */
  write(handle: number, timeMs: number, records: readonly MusicRecord[]): Sent {
    return this.writeRaw(handle, timeMs, encodeMusicRecords(records));
  }

  writeRaw(handle: number, timeMs: number, data: Uint8Array): Sent {
    const address = this.process.allocateMemory(Math.max(1, data.byteLength));
    if (data.byteLength > 0) this.process.writeMemory(address, data);
    const header = streamHeader({
      presentationTime: { time: Math.round(timeMs * 10_000), numerator: 1, denominator: 1 },
      frameExtent: data.byteLength,
      dataUsed: data.byteLength,
      data: address,
    });
    return this.send(handle, IOCTL_KS_WRITE_STREAM, encodeStreamHeaders([header]), address);
  }

  /** Sends a read with buffers of these sizes. */
  read(handle: number, ...sizes: readonly number[]): Sent {
    const room = sizes.reduce((sum, size) => sum + size, 0);
    const address = this.process.allocateMemory(Math.max(1, room));
    let at = address;
    const headers = sizes.map((frameExtent) => {
      const header = streamHeader({ frameExtent, data: at });
      at += frameExtent;
      return header;
    });
    return this.send(handle, IOCTL_KS_READ_STREAM, encodeStreamHeaders(headers), address);
  }

  send(handle: number, code: number, headers: Uint8Array, address: number): Sent {
    const sent: { -readonly [K in keyof Sent]?: Sent[K] } = {
      status: null,
      information: 0,
      tick: 0,
      address,
      headers,
    };
    sent.request = this.process.deviceIoControlAsync(handle, code, null, headers, (status, information) => {
      sent.status = status;
      sent.information = information;
      sent.tick = this.now;
    });
    return sent as Sent;
  }

  /** What came in: records with their stream times in ms. */
  received(sent: Sent): { readonly ms: number; readonly bytes: readonly number[] }[] {
    const found: { ms: number; bytes: number[] }[] = [];
    const view = viewOf(sent.headers);
    for (let offset = 0; offset < sent.information; offset += KSSTREAM_HEADER.size) {
      const header = KSSTREAM_HEADER.read(view, offset);
      const data = new Uint8Array(header.dataUsed);
      if (data.byteLength > 0) this.process.readMemory(header.data, data);
      let ms = header.presentationTime.time / 10_000;
      for (const { timeDeltaMs, bytes } of decodeMusicRecords(data)) {
        ms += timeDeltaMs;
        found.push({ ms, bytes: [...bytes] });
      }
    }
    return found;
  }

  /** PcRequestNewPowerState. */
  power(state: DEVICE_POWER_STATE): void {
    this.kernel.enter(() => pcRequestNewPowerState(this.deviceObject, state));
  }

  /** The cancelled requests of the process come back to it before the device goes. */
  override end(): string[] {
    this.process.terminate();
    this.kernel.runFor(0);
    return super.end();
  }

  /** Runs code as an interrupt routine's DPC would. */
  atDispatch(work: () => void): void {
    this.kernel.enter(() => {
      keInsertQueueDpc(new KDPC(work, null));
    });
  }
}

export { DISPATCH_LEVEL, IID_IPortMidi };

/** A note-on. */
export const note = (key: number, channel = 0): Uint8Array => Uint8Array.of(0x90 | channel, key, 100);
