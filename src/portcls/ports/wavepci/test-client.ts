import type { GUID } from '../../../com/index.ts';
import {
  type HANDLE,
  ioGetDeviceInterfaces,
  Kernel,
  makeResourceList,
  type NTSTATUS,
  type PnpChild,
  PowerSystemSleeping3,
  PowerSystemWorking,
  TestPlatform,
  type TestPlatformOptions,
  Trace,
  TraceKind,
  UserProcess,
} from '../../../kernel/index.ts';
import {
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
  KSPROPERTY_CONNECTION_STATE,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  ksGetProperty,
  ksSetLong,
  pcmFormat,
  pinCreateName,
  standardPinConnect,
  streamHeader,
} from '../../../ks/index.ts';
import { Packet, type Piece } from '../wavecyclic/test-client.ts';
import { BUS_DEVICE, CARD_LINE, type PciDriver, PciScript, type PciStream, pciDriver } from './test-card.ts';

/** A machine with one WavePci card and one application that speaks to it in KS requests. */
export class PciMachine {
  readonly platform: TestPlatform;
  readonly kernel: Kernel;
  readonly driver: PciDriver;
  readonly client: UserProcess;
  readonly script: PciScript;
  #cards: PnpChild[] = [card()];

  constructor(script = new PciScript(), options: TestPlatformOptions = {}) {
    this.script = script;
    this.platform = new TestPlatform({ ramBytes: 0x80_0000, ...options });
    this.kernel = new Kernel(this.platform, { trace: new Trace({ mask: TraceKind.Finding, keep: 4096 }) });
    this.driver = pciDriver(script, this.platform);
    this.kernel.pnp.addBus({ name: 'testbus', enumerate: () => this.#cards });
    this.kernel.pnp.installDriver(this.driver);
    this.kernel.pnp.start();
    this.client = new UserProcess(this.kernel, 'client');
  }

  get stream(): PciStream {
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

  openPin(pinId = 0, format: KSDATAFORMAT = pcmFormat(48_000, 2, 16), looped = false): PciPinClient {
    const [link] = this.kernel.enter(() => ioGetDeviceInterfaces(KSCATEGORY_AUDIO.toString()));
    if (link === undefined) throw new Error(`no filter:\n${this.kernel.pnp.report()}`);
    const filter = this.client.createFile(link);
    const id = looped ? KSINTERFACE_STANDARD_LOOPED_STREAMING : KSINTERFACE_STANDARD_STREAMING;
    const connect = standardPinConnect(pinId, format, { set: KSINTERFACESETID_Standard, id, flags: 0 });
    try {
      return new PciPinClient(this, this.client.createFile(pinCreateName(connect), filter));
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

  /** Ends the application, pulls the card and reports what is left: leaks, and memory that is still open to the card. */
  end(): readonly string[] {
    this.client.terminate();
    this.unplug();
    this.kernel.drain();
    const open = this.platform.dmaRanges.map(({ length }) => `open to the card: ${length} bytes`);
    return [...open, ...this.kernel.dispose().leaks.map((leak) => `${leak.kind} ${leak.name}`)];
  }
}

function card(): PnpChild {
  const resources = (level: number, vector: number) =>
    makeResourceList([
      { type: 'Interrupt', shareDisposition: 'Shared', flags: 0, level, vector, affinity: 1 },
    ]);
  return {
    busDevice: BUS_DEVICE,
    deviceId: 'TEST\\WPFAKE',
    instanceId: '0',
    hardwareIds: ['TEST\\WPFAKE'],
    compatibleIds: [],
    description: 'WavePci test card',
    location: 'Test bus, slot 0',
    bus: { busTypeGuid: '{C06FF265-AE09-48F0-812C-16753D7CBA83}', legacyBusType: 'PCIBus', busNumber: 0 },
    assignResources: () => ({
      raw: resources(CARD_LINE, CARD_LINE),
      translated: resources(6, 0x30 + CARD_LINE),
    }),
  };
}

/** An open pin as a client has it. */
export class PciPinClient {
  readonly machine: PciMachine;
  readonly handle: HANDLE;
  readonly stream: PciStream;
  readonly packets: Packet[] = [];
  #completed = 0;

  constructor(machine: PciMachine, handle: HANDLE) {
    this.machine = machine;
    this.handle = handle;
    this.stream = machine.stream;
  }

  setState(state: number): void {
    ksSetLong(this.machine.client, this.handle, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, state);
    // Requests that ended with the state complete at once.
    this.machine.kernel.runFor(0);
  }

  get(set: GUID, id: number, size: number): Uint8Array {
    return ksGetProperty(this.machine.client, this.handle, set, id, {}, size);
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

  writeAll(pieces: readonly Piece[], pageOffset = 0): Packet {
    const length = pieces.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    const address = length === 0 ? 0 : this.machine.client.allocateMemory(length + pageOffset) + pageOffset;
    let offset = 0;
    const headers = pieces.map(({ bytes, flags = 0 }) => {
      if (bytes.byteLength > 0) this.machine.client.writeMemory(address + offset, bytes);
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

  /** One read request for so many bytes. */
  read(byteLength: number, pageOffset = 0): Packet {
    const address = this.machine.client.allocateMemory(byteLength + pageOffset) + pageOffset;
    const header = streamHeader({ data: address, frameExtent: byteLength });
    return this.send(IOCTL_KS_READ_STREAM, new Packet(address, byteLength, encodeStreamHeaders([header])));
  }

  send(ioControlCode: number, packet: Packet): Packet {
    this.packets.push(packet);
    packet.request = this.machine.client.deviceIoControlAsync(
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
    this.machine.kernel.runFor(0);
    return packet;
  }

  reset(value: number): NTSTATUS {
    return this.machine.client.deviceIoControl(
      this.handle,
      IOCTL_KS_RESET_STATE,
      new Uint8Array([value, 0, 0, 0]),
      null,
    ).status;
  }

  /** What a packet holds now. */
  bytesOf(packet: Packet, length = packet.header.dataUsed): Uint8Array {
    const bytes = new Uint8Array(length);
    if (length > 0) this.machine.client.readMemory(packet.address, bytes);
    return bytes;
  }

  close(): void {
    this.machine.client.closeHandle(this.handle);
  }
}
