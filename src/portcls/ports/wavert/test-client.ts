import type { GUID } from '../../../com/index.ts';
import {
  type HANDLE,
  type IoResult,
  ioGetDeviceInterfaces,
  Kernel,
  type NTSTATUS,
  NtError,
  ntStatusName,
  ntSuccess,
  type PnpChild,
  PowerSystemSleeping3,
  PowerSystemWorking,
  STATUS_SUCCESS,
  TestPlatform,
  type TestPlatformOptions,
  UserProcess,
} from '../../../kernel/index.ts';
import {
  IOCTL_KS_PROPERTY,
  KSCATEGORY_REALTIME,
  type KSDATAFORMAT,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_RTAUDIO_BUFFER,
  KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION,
  KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPERTY_TYPE_TOPOLOGY,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_RtAudio,
  pcmFormat,
  pinCreateName,
  standardPinConnect,
} from '../../../ks/index.ts';
import { type TestDriver, testDriver } from './test-driver.ts';
import { TEST_REGISTERS_LENGTH, TEST_REGISTERS_PHYSICAL, TestScript } from './test-stream.ts';

/** `bytes(4).ulong(0, 7)`: a buffer that is filled by offset. */
export class Bytes {
  readonly array: Uint8Array;
  readonly view: DataView;

  constructor(length: number) {
    this.array = new Uint8Array(length);
    this.view = new DataView(this.array.buffer);
  }

  ulong(offset: number, value: number): this {
    this.view.setUint32(offset, value >>> 0, true);
    return this;
  }

  pointer(offset: number, value: number): this {
    return this.ulong(offset, value % 0x1_0000_0000).ulong(offset + 4, Math.floor(value / 0x1_0000_0000));
  }
}

export function ulongAt(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, true);
}

export function pointerAt(bytes: Uint8Array, offset: number): number {
  return ulongAt(bytes, offset) + ulongAt(bytes, offset + 4) * 0x1_0000_0000;
}

/** The answer to a property request. */
export interface Answer extends IoResult {
  /** The bytes returned, when the status is a success. */
  readonly bytes: Uint8Array;
}

export interface Buffer {
  readonly status: NTSTATUS;
  readonly address: number;
  readonly size: number;
  readonly barrier: number;
}

export interface TestMachineOptions extends TestPlatformOptions {
  readonly registry?: TestDriver['registry'];
}

/** A machine with one test card and the test driver, and one application that speaks to it in KS requests. */
export class TestMachine {
  readonly platform: TestPlatform;
  readonly kernel: Kernel;
  readonly driver: TestDriver;
  readonly client: UserProcess;
  /** Values of the card's registers: position, unused, clock low, clock high. */
  readonly registers = [0, 0, 0, 0];
  #cards: PnpChild[];

  constructor(script: TestScript, options: TestMachineOptions = {}) {
    this.platform = new TestPlatform({ ramBytes: 0x80_0000, ...options });
    this.platform.addMemory(TEST_REGISTERS_PHYSICAL, TEST_REGISTERS_LENGTH, {
      read: (offset) => this.registers[offset >> 2] ?? 0,
      write: (offset, _size, value) => {
        this.registers[offset >> 2] = value;
      },
    });
    this.kernel = new Kernel(this.platform);
    this.driver = testDriver(script, options.registry);
    this.#cards = [testCard()];
    this.kernel.pnp.addBus({ name: 'testbus', enumerate: () => this.#cards });
    this.kernel.pnp.installDriver(this.driver);
    this.kernel.pnp.start();
    this.client = new UserProcess(this.kernel, 'client');
  }

  /** The card's driver did not start: why. */
  get problem(): string {
    return this.kernel.pnp.report();
  }

  /** Pulls the card out. */
  unplug(): void {
    this.#cards = [];
    this.kernel.pnp.reenumerate();
  }

  /** The whole machine goes to S3. */
  sleep(): void {
    this.kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
  }

  wake(): void {
    this.kernel.pnp.setSystemPowerState(PowerSystemWorking);
  }

  openFilter(process: UserProcess = this.client): HANDLE {
    const links = this.kernel.enter(() => ioGetDeviceInterfaces(KSCATEGORY_REALTIME.toString()));
    const link = links[0];
    if (link === undefined) throw new Error(`No WaveRT filter:\n${this.problem}`);
    return process.createFile(link);
  }

  openPin(
    filter: HANDLE,
    pinId = 0,
    format: KSDATAFORMAT = pcmFormat(48_000, 2, 16),
    process: UserProcess = this.client,
  ): HANDLE {
    return process.createFile(pinCreateName(standardPinConnect(pinId, format)), filter);
  }

  /** One property request: what the client sends after KSPROPERTY, and its value buffer. */
  property(
    handle: HANDLE,
    set: GUID,
    id: number,
    flags: number,
    instance: Uint8Array | null,
    value: Uint8Array | null,
    process: UserProcess = this.client,
  ): Answer {
    const input = new Bytes(24 + (instance?.byteLength ?? 0));
    set.write(input.view, 0);
    input.ulong(16, id).ulong(20, flags);
    if (instance !== null) input.array.set(instance, 24);
    const result = process.deviceIoControl(handle, IOCTL_KS_PROPERTY, input.array, value);
    const returned = ntSuccess(result.status) ? Math.min(result.information, value?.byteLength ?? 0) : 0;
    return { ...result, bytes: value?.subarray(0, returned) ?? new Uint8Array(0) };
  }

  get(handle: HANDLE, set: GUID, id: number, bytes: number, instance: Uint8Array | null = null): Answer {
    return this.property(handle, set, id, KSPROPERTY_TYPE_GET, instance, new Uint8Array(bytes));
  }

  set(
    handle: HANDLE,
    set: GUID,
    id: number,
    value: Uint8Array,
    instance: Uint8Array | null = null,
  ): NTSTATUS {
    return this.property(handle, set, id, KSPROPERTY_TYPE_SET, instance, value).status;
  }

  /** A node property: NodeId and Reserved, then what follows. */
  node(
    handle: HANDLE,
    set: GUID,
    id: number,
    verb: number,
    value: Uint8Array,
    more: Uint8Array = new Uint8Array(0),
    nodeId = 0,
  ): Answer {
    const instance = new Bytes(8 + more.byteLength).ulong(0, nodeId);
    instance.array.set(more, 8);
    return this.property(handle, set, id, verb | KSPROPERTY_TYPE_TOPOLOGY, instance.array, value);
  }

  setState(pin: HANDLE, state: number): NTSTATUS {
    return this.set(
      pin,
      KSPROPSETID_Connection,
      KSPROPERTY_CONNECTION_STATE,
      new Bytes(4).ulong(0, state).array,
    );
  }

  getState(pin: HANDLE): number {
    return ulongAt(must(this.get(pin, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, 4)).bytes, 0);
  }

  position(pin: HANDLE): number {
    return pointerAt(must(this.get(pin, KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 16)).bytes, 0);
  }

  /** Asks for the cyclic buffer; `notificationCount` 0 without notifications. */
  allocate(pin: HANDLE, size: number, notificationCount = 0, process: UserProcess = this.client): Buffer {
    const instance = new Bytes(16).ulong(8, size).ulong(12, notificationCount).array;
    const id =
      notificationCount === 0 ? KSPROPERTY_RTAUDIO_BUFFER : KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION;
    const answer = this.property(
      pin,
      KSPROPSETID_RtAudio,
      id,
      KSPROPERTY_TYPE_GET,
      instance,
      new Uint8Array(16),
      process,
    );
    const { status, bytes } = answer;
    if (status !== STATUS_SUCCESS) return { status, address: 0, size: 0, barrier: 0 };
    return { status, address: pointerAt(bytes, 0), size: ulongAt(bytes, 8), barrier: ulongAt(bytes, 12) };
  }

  registerEvent(pin: HANDLE, event: HANDLE): NTSTATUS {
    return this.#eventRequest(pin, KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT, event);
  }

  unregisterEvent(pin: HANDLE, event: HANDLE): NTSTATUS {
    return this.#eventRequest(pin, KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT, event);
  }

  #eventRequest(pin: HANDLE, id: number, event: HANDLE): NTSTATUS {
    const instance = new Bytes(8).pointer(0, event).array;
    return this.property(pin, KSPROPSETID_RtAudio, id, KSPROPERTY_TYPE_GET, instance, null).status;
  }

  runMs(milliseconds: number): void {
    this.kernel.runFor(milliseconds * 10_000);
  }

  /** Texts of the findings so far. */
  get findings(): readonly string[] {
    return this.kernel.trace.findings.map((finding) => finding.text);
  }

  /** Ends the application, pulls the card and reports what is left. */
  end(): readonly string[] {
    this.client.terminate();
    this.unplug();
    this.kernel.drain();
    return this.kernel.dispose().leaks.map((leak) => `${leak.kind} ${leak.name}`);
  }
}

function testCard(): PnpChild {
  return {
    busDevice: 'test:0',
    deviceId: 'TEST\\RTFAKE',
    instanceId: '0',
    hardwareIds: ['TEST\\RTFAKE'],
    compatibleIds: [],
    description: 'WaveRT test card',
    location: 'Test bus, slot 0',
    bus: { busTypeGuid: '{C06FF265-AE09-48F0-812C-16753D7CBA83}', legacyBusType: 'PCIBus', busNumber: 0 },
    assignResources: () => null,
  };
}

/** The answer if it is a success; else an error that names the status. */
export function must(answer: Answer): Answer {
  if (!ntSuccess(answer.status)) throw new Error(`The request failed: ${ntStatusName(answer.status)}`);
  return answer;
}

/** The status with which something fails; STATUS_SUCCESS when it does not. */
export function statusOf(act: () => unknown): NTSTATUS {
  try {
    act();
    return STATUS_SUCCESS;
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}

/** A machine whose application has opened one pin. */
export function openStream(script = new TestScript(), pinId = 0) {
  const machine = new TestMachine(script);
  const filter = machine.openFilter();
  const pin = machine.openPin(filter, pinId);
  return {
    machine,
    script,
    filter,
    pin,
    /** The newest stream of the driver. */
    stream: () => machine.driver.miniport?.streams.at(-1),
  };
}
