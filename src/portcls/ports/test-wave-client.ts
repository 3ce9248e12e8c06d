import type { GUID, IUnknown } from '../../com/index.ts';
import {
  type HANDLE,
  ioGetDeviceInterfaces,
  Kernel,
  makeResourceList,
  type NTSTATUS,
  NtError,
  ntStatusName,
  type PendingRequest,
  type PnpChild,
  PowerSystemSleeping3,
  PowerSystemWorking,
  STATUS_SUCCESS,
  TestPlatform,
  type TestPlatformOptions,
  Trace,
  TraceKind,
  UserProcess,
} from '../../kernel/index.ts';
import {
  encodeDataFormat,
  encodeStreamHeaders,
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_RESET_STATE,
  IOCTL_KS_WRITE_STREAM,
  KSALLOCATOR_FRAMING,
  KSAUDIO_POSITION,
  KSCATEGORY_AUDIO,
  type KSDATAFORMAT,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSINTERFACE_STANDARD_STREAMING,
  KSINTERFACESETID_Standard,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_CONNECTION_ALLOCATORFRAMING,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSSTREAM_HEADER,
  ksGetProperty,
  ksSetLong,
  ksSetProperty,
  pcmFormat,
  pinCreateName,
  standardPinConnect,
  streamHeader,
} from '../../ks/index.ts';
import { BUS_DEVICE, CARD_LINE, type WaveTestDriver } from './test-wave-card.ts';

export interface WaveMachineOptions extends TestPlatformOptions {
  readonly traceMask?: number;
}

/** A machine with one card of a {@link waveTestDriver} and one application that speaks to it in KS requests. */
export abstract class WaveMachine<Stream, M extends IUnknown & { readonly streams: readonly Stream[] }> {
  readonly platform: TestPlatform;
  readonly kernel: Kernel;
  readonly driver: WaveTestDriver<M>;
  readonly client: UserProcess;
  #cards: PnpChild[];

  constructor(newDriver: (platform: TestPlatform) => WaveTestDriver<M>, options: WaveMachineOptions = {}) {
    this.platform = new TestPlatform({ ramBytes: 0x80_0000, ...options });
    this.kernel = new Kernel(this.platform, {
      trace: new Trace({ mask: options.traceMask ?? TraceKind.Finding, keep: 4096 }),
    });
    this.driver = newDriver(this.platform);
    this.#cards = [card(this.driver.hardwareIds[0] ?? '')];
    this.kernel.pnp.addBus({ name: 'testbus', enumerate: () => this.#cards });
    this.kernel.pnp.installDriver(this.driver);
    this.kernel.pnp.start();
    this.client = new UserProcess(this.kernel, 'client');
  }

  /** The newest stream of the driver. */
  get stream(): Stream {
    const stream = this.driver.miniport?.streams.at(-1);
    if (stream === undefined) throw new Error(`no stream:\n${this.kernel.pnp.report()}`);
    return stream;
  }

  unplug(): void {
    this.#cards = [];
    this.kernel.pnp.reenumerate();
    this.kernel.runFor(0);
  }

  sleep(): void {
    this.kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
  }

  wake(): void {
    this.kernel.pnp.setSystemPowerState(PowerSystemWorking);
  }

  openFilter(): HANDLE {
    const [link] = this.kernel.enter(() => ioGetDeviceInterfaces(KSCATEGORY_AUDIO.toString()));
    if (link === undefined) throw new Error(`no filter:\n${this.kernel.pnp.report()}`);
    return this.client.createFile(link);
  }

  openPin(pinId = 0, format: KSDATAFORMAT = pcmFormat(48_000, 2, 16), looped = false): WavePinClient<Stream> {
    const filter = this.openFilter();
    const id = looped ? KSINTERFACE_STANDARD_LOOPED_STREAMING : KSINTERFACE_STANDARD_STREAMING;
    const connect = standardPinConnect(pinId, format, { set: KSINTERFACESETID_Standard, id, flags: 0 });
    try {
      const handle = this.client.createFile(pinCreateName(connect), filter);
      return new WavePinClient(this.kernel, this.client, handle, this.stream);
    } finally {
      this.client.closeHandle(filter);
    }
  }

  runMs(milliseconds: number): void {
    this.kernel.runFor(Math.round(milliseconds * 10_000));
  }

  get findings(): readonly string[] {
    return this.kernel.trace.findings.map((finding) => finding.text);
  }

  /** Ends the application, pulls the card and reports what is left: leaks, and memory that is still open to the card's streams. */
  end(): readonly string[] {
    this.client.terminate();
    this.unplug();
    this.kernel.drain();
    const open = this.platform.dmaRanges.map(({ length }) => `open to the card: ${length} bytes`);
    return [...open, ...this.kernel.dispose().leaks.map((leak) => `${leak.kind} ${leak.name}`)];
  }
}

function card(hardwareId: string): PnpChild {
  const resources = (level: number, vector: number) =>
    makeResourceList([
      { type: 'Interrupt', shareDisposition: 'Shared', flags: 0, level, vector, affinity: 1 },
    ]);
  return {
    busDevice: BUS_DEVICE,
    deviceId: hardwareId,
    instanceId: '0',
    hardwareIds: [hardwareId],
    compatibleIds: [],
    description: 'wave test card',
    location: 'Test bus, slot 0',
    bus: { busTypeGuid: '{C06FF265-AE09-48F0-812C-16753D7CBA83}', legacyBusType: 'PCIBus', busNumber: 0 },
    assignResources: () => ({
      raw: resources(CARD_LINE, CARD_LINE),
      translated: resources(6, 0x30 + CARD_LINE),
    }),
  };
}

/** One stream request of the client's, under way or done. */
export class Packet {
  readonly address: number;
  readonly byteLength: number;
  readonly headers: Uint8Array;
  status: NTSTATUS | null = null;
  information = 0;
  request: PendingRequest | null = null;
  /** In what order packets were completed, from 0. */
  order = -1;

  constructor(address: number, byteLength: number, headers: Uint8Array) {
    this.address = address;
    this.byteLength = byteLength;
    this.headers = headers;
  }

  get done(): boolean {
    return this.status !== null;
  }

  get statusName(): string {
    return this.status === null ? 'pending' : ntStatusName(this.status);
  }

  /** The first header as it is now. */
  get header(): KSSTREAM_HEADER {
    return KSSTREAM_HEADER.decode(this.headers);
  }
}

/** A packet's bytes and flags, as a test writes them. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly flags?: number;
}

/** An open pin as a client has it. */
export class WavePinClient<Stream> {
  readonly client: UserProcess;
  readonly handle: HANDLE;
  readonly stream: Stream;
  readonly packets: Packet[] = [];
  readonly #kernel: Kernel;
  #completed = 0;

  constructor(kernel: Kernel, client: UserProcess, handle: HANDLE, stream: Stream) {
    this.#kernel = kernel;
    this.client = client;
    this.handle = handle;
    this.stream = stream;
  }

  setState(state: number): void {
    ksSetLong(this.client, this.handle, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, state);
    // Requests that ended with the state complete at once.
    this.#kernel.runFor(0);
  }

  setFormat(format: KSDATAFORMAT): void {
    ksSetProperty(
      this.client,
      this.handle,
      KSPROPSETID_Connection,
      KSPROPERTY_CONNECTION_DATAFORMAT,
      encodeDataFormat(format),
    );
  }

  get(set: GUID, id: number, size: number): Uint8Array {
    return ksGetProperty(this.client, this.handle, set, id, {}, size);
  }

  position(): KSAUDIO_POSITION {
    return KSAUDIO_POSITION.decode(
      this.get(KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, KSAUDIO_POSITION.size),
    );
  }

  framing(): KSALLOCATOR_FRAMING {
    return KSALLOCATOR_FRAMING.decode(
      this.get(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_ALLOCATORFRAMING, KSALLOCATOR_FRAMING.size),
    );
  }

  /** One write request of one header; the buffer begins `pageOffset` bytes into its first page. */
  write(bytes: Uint8Array, flags = 0, pageOffset = 0): Packet {
    return this.writeAll([{ bytes, flags }], pageOffset);
  }

  /** One write request of several headers. */
  writeAll(pieces: readonly Piece[], pageOffset = 0): Packet {
    const length = pieces.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    const address = length === 0 ? 0 : this.client.allocateMemory(length + pageOffset) + pageOffset;
    let offset = 0;
    const headers = pieces.map(({ bytes, flags = 0 }) => {
      if (bytes.byteLength > 0) this.client.writeMemory(address + offset, bytes);
      const header = streamHeader({
        data: address + offset,
        frameExtent: bytes.byteLength,
        dataUsed: bytes.byteLength,
        optionsFlags: flags,
      });
      offset += bytes.byteLength;
      return header;
    });
    return this.send(IOCTL_KS_WRITE_STREAM, new Packet(address, length, encodeStreamHeaders(headers)));
  }

  /** One read request for so many bytes; the buffer begins `pageOffset` bytes into its first page. */
  read(byteLength: number, pageOffset = 0, flags = 0): Packet {
    const address = byteLength === 0 ? 0 : this.client.allocateMemory(byteLength + pageOffset) + pageOffset;
    const header = streamHeader({ data: address, frameExtent: byteLength, optionsFlags: flags });
    return this.send(IOCTL_KS_READ_STREAM, new Packet(address, byteLength, encodeStreamHeaders([header])));
  }

  send(ioControlCode: number, packet: Packet): Packet {
    this.packets.push(packet);
    packet.request = this.client.deviceIoControlAsync(
      this.handle,
      ioControlCode,
      null,
      packet.headers,
      (status, information) => {
        packet.status = status;
        packet.information = information;
        packet.order = this.#completed++;
      },
    );
    // Continuations of requests that were refused run at once.
    this.#kernel.runFor(0);
    return packet;
  }

  reset(value: number): NTSTATUS {
    return this.client.deviceIoControl(
      this.handle,
      IOCTL_KS_RESET_STATE,
      new Uint8Array([value, 0, 0, 0]),
      null,
    ).status;
  }

  /** What a packet holds now. */
  bytesOf(packet: Packet, length = packet.header.dataUsed): Uint8Array {
    const bytes = new Uint8Array(length);
    if (length > 0) this.client.readMemory(packet.address, bytes);
    return bytes;
  }

  close(): void {
    this.client.closeHandle(this.handle);
  }
}

/** The status with which something fails; STATUS_SUCCESS when it does not. */
export function statusOf(act: () => unknown): string {
  try {
    act();
    return ntStatusName(STATUS_SUCCESS);
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
}

/** Bytes none of which is a silence. */
export function sound(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (((i + seed) * 73 + 29) % 251) + 1);
}

/** Deep equality of long arrays takes seconds; this takes none. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, i) => byte === b[i]);
}
