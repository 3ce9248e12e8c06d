import { describe, expect, test } from 'vitest';
import { GUID } from '../../../com/index.ts';
import { READ_REGISTER_ULONG } from '../../../hal/index.ts';
import {
  FILE_OBJECT,
  IRP_MJ_DEVICE_CONTROL,
  ioAllocateIrp,
  ioCallDriver,
  ioFreeIrp,
  ioGetAttachedDevice,
  ioGetNextIrpStackLocation,
  ioSetCompletionRoutine,
  obDereferenceObject,
  STATUS_ACCESS_DENIED,
  STATUS_BUFFER_OVERFLOW,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_MORE_PROCESSING_REQUIRED,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  STATUS_PROPSET_NOT_FOUND,
  STATUS_SUCCESS,
} from '../../../kernel/index.ts';
import {
  AUDIO_SIGNALPROCESSINGMODE_DEFAULT,
  AUDIO_SIGNALPROCESSINGMODE_RAW,
  decodeDataFormat,
  encodeDataFormat,
  IOCTL_KS_PROPERTY,
  KSPROPERTY_AUDIO_LINEAR_BUFFER_POSITION,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_PEAKMETER2,
  KSPROPERTY_AUDIO_PRESENTATION_POSITION,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_AUDIO_WAVERT_CURRENT_WRITE_LASTBUFFER_POSITION,
  KSPROPERTY_AUDIO_WAVERT_CURRENT_WRITE_POSITION,
  KSPROPERTY_AUDIOENGINE_BUFFER_SIZE_RANGE,
  KSPROPERTY_AUDIOENGINE_DESCRIPTOR,
  KSPROPERTY_AUDIOENGINE_DEVICEFORMAT,
  KSPROPERTY_AUDIOENGINE_GFXENABLE,
  KSPROPERTY_AUDIOENGINE_LFXENABLE,
  KSPROPERTY_AUDIOENGINE_LOOPBACK_PROTECTION,
  KSPROPERTY_AUDIOENGINE_MIXFORMAT,
  KSPROPERTY_AUDIOENGINE_SUPPORTEDDEVICEFORMATS,
  KSPROPERTY_AUDIOENGINE_VOLUMELEVEL,
  KSPROPERTY_AUDIOSIGNALPROCESSING_MODES,
  KSPROPERTY_DRMAUDIOSTREAM_CONTENTID,
  KSPROPERTY_RTAUDIO_BUFFER,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Audio,
  KSPROPSETID_AudioEngine,
  KSPROPSETID_AudioSignalProcessing,
  KSPROPSETID_DrmAudioStream,
  KSPROPSETID_RtAudio,
  KSSTATE_RUN,
  pcmFormat,
} from '../../../ks/index.ts';
import { Bytes, must, openStream, pointerAt, type TestMachine, ulongAt } from './test-client.ts';
import { TestScript } from './test-stream.ts';

const GET = KSPROPERTY_TYPE_GET;
const SET = KSPROPERTY_TYPE_SET;
const ALL_CHANNELS = 0xffff_ffff;

/** Channel and Reserved of KSNODEPROPERTY_AUDIO_CHANNEL. */
function channel(number: number): Uint8Array {
  return new Bytes(8).ulong(0, number).array;
}

function ulong(value: number): Uint8Array {
  return new Bytes(4).ulong(0, value).array;
}

describe('audio engine node through the filter', () => {
  test('descriptor, formats and effect switch come from IMiniportAudioEngineNode', () => {
    const { machine, filter } = openStream();
    const get = (id: number, size: number, more?: Uint8Array) =>
      machine.node(filter, KSPROPSETID_AudioEngine, id, GET, new Uint8Array(size), more);
    const descriptor = must(get(KSPROPERTY_AUDIOENGINE_DESCRIPTOR, 12)).bytes;
    expect([ulongAt(descriptor, 0), ulongAt(descriptor, 4), ulongAt(descriptor, 8)]).toEqual([0, 0, 1]);
    expect(decodeDataFormat(must(get(KSPROPERTY_AUDIOENGINE_MIXFORMAT, 200)).bytes)).toMatchObject({
      waveFormatEx: { nSamplesPerSec: 48_000 },
    });
    const formats = must(get(KSPROPERTY_AUDIOENGINE_SUPPORTEDDEVICEFORMATS, 400)).bytes;
    expect([ulongAt(formats, 0), ulongAt(formats, 4)]).toEqual([formats.byteLength, 2]);
    expect(decodeDataFormat(formats, 8)).toMatchObject({ waveFormatEx: { nSamplesPerSec: 44_100 } });
    // The second one begins on a multiple of 8.
    expect(decodeDataFormat(formats, 8 + 88)).toMatchObject({ waveFormatEx: { wBitsPerSample: 24 } });
    expect(get(KSPROPERTY_AUDIOENGINE_SUPPORTEDDEVICEFORMATS, 0)).toMatchObject({
      status: STATUS_BUFFER_OVERFLOW,
      information: formats.byteLength,
    });
    const gfx = KSPROPERTY_AUDIOENGINE_GFXENABLE;
    expect(ulongAt(must(get(gfx, 4)).bytes, 0)).toBe(0);
    expect(machine.node(filter, KSPROPSETID_AudioEngine, gfx, SET, ulong(1)).status).toBe(STATUS_SUCCESS);
    expect(ulongAt(must(get(gfx, 4)).bytes, 0)).toBe(1);
    const deviceFormat = encodeDataFormat(pcmFormat(96_000, 2, 16));
    const id = KSPROPERTY_AUDIOENGINE_DEVICEFORMAT;
    expect(machine.node(filter, KSPROPSETID_AudioEngine, id, SET, deviceFormat).status).toBe(STATUS_SUCCESS);
    expect(must(get(id, 200)).bytes).toEqual(deviceFormat);
    const wanted = encodeDataFormat(pcmFormat(48_000, 2, 16));
    const range = must(get(KSPROPERTY_AUDIOENGINE_BUFFER_SIZE_RANGE, 8, wanted)).bytes;
    expect([ulongAt(range, 0), ulongAt(range, 4)]).toEqual([1_920, 192_000]);
    expect(get(KSPROPERTY_AUDIOENGINE_BUFFER_SIZE_RANGE, 8).status).toBe(STATUS_INVALID_PARAMETER);
    expect(machine.end()).toEqual([]);
  });

  test('volume, mute and peak meter of the device, channel by channel', () => {
    const { machine, filter } = openStream();
    const audio = (id: number, verb: number, value: Uint8Array, ch: number) =>
      machine.node(filter, KSPROPSETID_Audio, id, verb, value, channel(ch));
    const volume = KSPROPERTY_AUDIO_VOLUMELEVEL;
    expect(audio(volume, SET, ulong(-6 * 65536), 1).status).toBe(STATUS_SUCCESS);
    expect(ulongAt(must(audio(volume, GET, new Uint8Array(4), 0)).bytes, 0)).toBe(0);
    expect(ulongAt(must(audio(volume, GET, new Uint8Array(4), 1)).bytes, 0) | 0).toBe(-6 * 65536);
    expect(audio(volume, SET, ulong(-65536), ALL_CHANNELS).status).toBe(STATUS_SUCCESS);
    expect(ulongAt(must(audio(volume, GET, new Uint8Array(4), 0)).bytes, 0) | 0).toBe(-65536);
    expect(audio(volume, GET, new Uint8Array(4), ALL_CHANNELS).status).toBe(STATUS_INVALID_PARAMETER);
    expect(audio(volume, GET, new Uint8Array(4), 2).status).toBe(STATUS_INVALID_PARAMETER);
    expect(audio(KSPROPERTY_AUDIO_MUTE, SET, ulong(7), 0).status).toBe(STATUS_SUCCESS);
    expect(ulongAt(must(audio(KSPROPERTY_AUDIO_MUTE, GET, new Uint8Array(4), 0)).bytes, 0)).toBe(1);
    expect(ulongAt(must(audio(KSPROPERTY_AUDIO_PEAKMETER2, GET, new Uint8Array(4), 0)).bytes, 0)).toBe(
      0x1234,
    );
    expect(audio(KSPROPERTY_AUDIO_PEAKMETER2, SET, ulong(0), 0).status).toBe(STATUS_INVALID_DEVICE_REQUEST);
    expect(machine.end()).toEqual([]);
  });

  test('basic support gives a stepped range per channel', () => {
    const { machine, filter, pin } = openStream();
    for (const handle of [filter, pin]) {
      const { bytes } = must(
        machine.node(
          handle,
          KSPROPSETID_Audio,
          KSPROPERTY_AUDIO_VOLUMELEVEL,
          KSPROPERTY_TYPE_BASICSUPPORT,
          new Uint8Array(200),
          channel(0),
        ),
      );
      // KSPROPERTY_DESCRIPTION, one members header, two KSPROPERTY_STEPPING_LONG.
      expect(bytes.byteLength).toBe(40 + 16 + 2 * 16);
      expect(ulongAt(bytes, 0)).toBe(GET | SET | KSPROPERTY_TYPE_BASICSUPPORT);
      expect([ulongAt(bytes, 40), ulongAt(bytes, 44), ulongAt(bytes, 48), ulongAt(bytes, 52)]).toEqual([
        2, 16, 2, 2,
      ]);
      expect([ulongAt(bytes, 56), ulongAt(bytes, 64) | 0, ulongAt(bytes, 68)]).toEqual([
        65536,
        -96 * 65536,
        0,
      ]);
    }
    expect(machine.end()).toEqual([]);
  });

  test('a miniport without an engine', () => {
    const script = new TestScript();
    script.engine = false;
    const { machine, filter, pin } = openStream(script);
    const id = KSPROPERTY_AUDIOENGINE_GFXENABLE;
    expect(machine.node(filter, KSPROPSETID_AudioEngine, id, GET, new Uint8Array(4)).status).toBe(
      STATUS_NOT_SUPPORTED,
    );
    const lfx = KSPROPERTY_AUDIOENGINE_LFXENABLE;
    expect(machine.node(pin, KSPROPSETID_AudioEngine, lfx, GET, new Uint8Array(4)).status).toBe(
      STATUS_NOT_SUPPORTED,
    );
    expect(machine.end()).toEqual([]);
  });
});

describe('audio engine node through a pin', () => {
  test('stream effects, loopback protection, and volume with a curve', () => {
    const { machine, script, pin, stream } = openStream();
    const engine = (id: number, verb: number, value: Uint8Array, more?: Uint8Array) =>
      machine.node(pin, KSPROPSETID_AudioEngine, id, verb, value, more);
    expect(engine(KSPROPERTY_AUDIOENGINE_LFXENABLE, SET, ulong(1)).status).toBe(STATUS_SUCCESS);
    expect(ulongAt(must(engine(KSPROPERTY_AUDIOENGINE_LFXENABLE, GET, new Uint8Array(4))).bytes, 0)).toBe(1);
    expect(engine(KSPROPERTY_AUDIOENGINE_LOOPBACK_PROTECTION, SET, ulong(1)).status).toBe(STATUS_SUCCESS);
    expect(stream()?.loopbackProtection).toBe(1);
    expect(engine(KSPROPERTY_AUDIOENGINE_LOOPBACK_PROTECTION, SET, ulong(2)).status).toBe(
      STATUS_INVALID_PARAMETER,
    );
    const id = KSPROPERTY_AUDIOENGINE_VOLUMELEVEL;
    const level = (volume: number, curve: number, duration: number) =>
      new Bytes(16).ulong(0, volume).ulong(4, curve).pointer(8, duration).array;
    expect(engine(id, SET, level(-655_360, 1, 500_000), channel(ALL_CHANNELS)).status).toBe(STATUS_SUCCESS);
    expect(script.calls.at(-1)).toBe('SetStreamChannelVolume(4294967295, -655360, 1, 500000)');
    expect(ulongAt(must(engine(id, GET, new Uint8Array(4), channel(1))).bytes, 0) | 0).toBe(-655_360);
    expect(engine(id, SET, level(0, 0, 1), channel(0)).status).toBe(STATUS_INVALID_PARAMETER);
    expect(engine(id, SET, level(0, 2, 0), channel(0)).status).toBe(STATUS_INVALID_PARAMETER);
    expect(engine(id, SET, level(0, 0, 0), channel(5)).status).toBe(STATUS_INVALID_PARAMETER);
    expect(machine.end()).toEqual([]);
  });

  test('volume of a pin is the stream’s, without a curve', () => {
    const { machine, script, filter, pin } = openStream();
    const volume = KSPROPERTY_AUDIO_VOLUMELEVEL;
    must(machine.node(pin, KSPROPSETID_Audio, volume, SET, ulong(-65536), channel(0)));
    expect(script.calls.at(-1)).toBe('SetStreamChannelVolume(0, -65536, 0, 0)');
    const device = must(machine.node(filter, KSPROPSETID_Audio, volume, GET, new Uint8Array(4), channel(0)));
    expect(ulongAt(device.bytes, 0)).toBe(0);
    expect(
      ulongAt(
        must(
          machine.node(
            pin,
            KSPROPSETID_Audio,
            KSPROPERTY_AUDIO_PEAKMETER2,
            GET,
            new Uint8Array(4),
            channel(0),
          ),
        ).bytes,
        0,
      ),
    ).toBe(0x4321);
    expect(machine.end()).toEqual([]);
  });

  test('linear and presentation position count from the start of the stream', () => {
    const { machine, pin } = openStream();
    machine.allocate(pin, 1920);
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(25);
    const audio = (id: number, size: number) =>
      must(machine.node(pin, KSPROPSETID_Audio, id, GET, new Uint8Array(size))).bytes;
    expect(pointerAt(audio(KSPROPERTY_AUDIO_LINEAR_BUFFER_POSITION, 8), 0)).toBe(25 * 192);
    expect(pointerAt(audio(KSPROPERTY_AUDIO_PRESENTATION_POSITION, 16), 0)).toBe(25 * 48);
    expect(machine.end()).toEqual([]);
  });

  test('write positions lie in the cyclic buffer', () => {
    const { machine, pin, stream } = openStream();
    machine.allocate(pin, 1920);
    const set = (id: number, position: number) =>
      machine.node(pin, KSPROPSETID_Audio, id, SET, ulong(position)).status;
    const current = KSPROPERTY_AUDIO_WAVERT_CURRENT_WRITE_POSITION;
    expect(set(current, 1920)).toBe(STATUS_SUCCESS);
    expect(set(current, 1924)).toBe(STATUS_INVALID_PARAMETER);
    expect(stream()?.writePosition).toBe(1920);
    expect(set(KSPROPERTY_AUDIO_WAVERT_CURRENT_WRITE_LASTBUFFER_POSITION, 100)).toBe(STATUS_SUCCESS);
    expect(stream()?.lastBufferPosition).toBe(100);
    expect(machine.end()).toEqual([]);
  });

  test('a stream’s property sent to the filter fails; a device’s sent to a pin is served', () => {
    const { machine, filter, pin } = openStream();
    const lfx = KSPROPERTY_AUDIOENGINE_LFXENABLE;
    expect(machine.node(filter, KSPROPSETID_AudioEngine, lfx, GET, new Uint8Array(4)).status).toBe(
      STATUS_INVALID_DEVICE_REQUEST,
    );
    const gfx = KSPROPERTY_AUDIOENGINE_GFXENABLE;
    expect(machine.node(pin, KSPROPSETID_AudioEngine, gfx, GET, new Uint8Array(4)).status).toBe(
      STATUS_SUCCESS,
    );
    expect(machine.node(pin, KSPROPSETID_AudioEngine, 77, GET, new Uint8Array(4)).status).toBe(
      STATUS_NOT_FOUND,
    );
    expect(machine.end()).toEqual([]);
  });
});

describe('signal-processing modes', () => {
  function modes(machine: TestMachine, filter: number, pinId: number, size = 100) {
    const instance = channel(pinId);
    return machine.get(
      filter,
      KSPROPSETID_AudioSignalProcessing,
      KSPROPERTY_AUDIOSIGNALPROCESSING_MODES,
      size,
      instance,
    );
  }

  test('host pins list their modes, bridge pins an empty list, other numbers are an error', () => {
    const { machine, filter } = openStream();
    const { bytes } = must(modes(machine, filter, 0));
    expect([ulongAt(bytes, 0), ulongAt(bytes, 4)]).toEqual([40, 2]);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect(GUID.read(view, 8).equals(AUDIO_SIGNALPROCESSINGMODE_DEFAULT)).toBe(true);
    expect(GUID.read(view, 24).equals(AUDIO_SIGNALPROCESSINGMODE_RAW)).toBe(true);
    const empty = must(modes(machine, filter, 2)).bytes;
    expect([ulongAt(empty, 0), ulongAt(empty, 4)]).toEqual([8, 0]);
    expect(modes(machine, filter, 4).status).toBe(STATUS_INVALID_PARAMETER);
    expect(modes(machine, filter, 0, 0)).toMatchObject({ status: STATUS_BUFFER_OVERFLOW, information: 40 });
    expect(machine.end()).toEqual([]);
  });

  test('without the interface the property set is unknown', () => {
    const script = new TestScript();
    script.signalProcessing = false;
    const { machine, filter } = openStream(script);
    expect(modes(machine, filter, 0).status).toBe(STATUS_PROPSET_NOT_FOUND);
    expect(machine.end()).toEqual([]);
  });

  test('the mode that an open request asks for reaches NewStream with the format', () => {
    const { machine, filter } = openStream();
    machine.openPin(filter, 0, pcmFormat(48_000, 2, 16, { mode: AUDIO_SIGNALPROCESSINGMODE_RAW }));
    expect(machine.driver.miniport?.streams.at(-1)?.mode?.equals(AUDIO_SIGNALPROCESSINGMODE_RAW)).toBe(true);
    expect(machine.driver.miniport?.streams[0]?.mode).toBe(null);
    expect(machine.end()).toEqual([]);
  });
});

/** Sends a property as another driver in the kernel would. */
function fromKernel(
  machine: TestMachine,
  pin: number,
  set: GUID,
  id: number,
  verb: number,
  instance: Uint8Array,
  value: Uint8Array,
): number {
  return machine.kernel.enter(() => {
    const file = machine.client.referenceObjectByHandle(pin, FILE_OBJECT);
    const device = ioGetAttachedDevice(file.deviceObject);
    const irp = ioAllocateIrp(device.stackSize);
    const input = new Bytes(24 + instance.byteLength).ulong(16, id).ulong(20, verb);
    set.write(input.view, 0);
    input.array.set(instance, 24);
    const next = ioGetNextIrpStackLocation(irp);
    next.majorFunction = IRP_MJ_DEVICE_CONTROL;
    next.fileObject = file;
    next.parameters.ioControlCode = IOCTL_KS_PROPERTY;
    next.parameters.type3InputBuffer = input.array;
    next.parameters.inputBufferLength = input.array.byteLength;
    next.parameters.outputBufferLength = value.byteLength;
    irp.userBuffer = value;
    ioSetCompletionRoutine(irp, () => STATUS_MORE_PROCESSING_REQUIRED, null);
    const status = ioCallDriver(device, irp);
    ioFreeIrp(irp);
    obDereferenceObject(file);
    return status;
  });
}

describe('a client in the kernel', () => {
  test.each([true, false])(
    'gets buffer and register at system addresses (miniport has the buffer mapped: %s)',
    (mapped) => {
      const script = new TestScript();
      script.mapsBuffer = mapped;
      const { machine, pin, stream } = openStream(script);
      const buffer = new Uint8Array(16);
      const request = new Bytes(16).ulong(8, 4096).array;
      const id = KSPROPERTY_RTAUDIO_BUFFER;
      expect(fromKernel(machine, pin, KSPROPSETID_RtAudio, id, GET, request, buffer)).toBe(STATUS_SUCCESS);
      expect(pointerAt(buffer, 0)).toBe(stream()?.mdl?.systemMapping?.virtualAddress);
      const register = new Uint8Array(40);
      const position = KSPROPERTY_RTAUDIO_POSITIONREGISTER;
      expect(fromKernel(machine, pin, KSPROPSETID_RtAudio, position, GET, new Uint8Array(8), register)).toBe(
        STATUS_SUCCESS,
      );
      machine.registers[0] = 4711;
      expect(machine.kernel.enter(() => READ_REGISTER_ULONG(pointerAt(register, 0)))).toBe(4711);
      expect(machine.end()).toEqual([]);
    },
  );
});

describe('content id', () => {
  const CONTENT = new Bytes(16).ulong(0, 42).ulong(4, 1).ulong(12, 1).array;

  function setFromKernel(machine: TestMachine, pin: number, value: Uint8Array): number {
    const id = KSPROPERTY_DRMAUDIOSTREAM_CONTENTID;
    return fromKernel(machine, pin, KSPROPSETID_DrmAudioStream, id, SET, new Uint8Array(0), value);
  }

  test('the kernel’s DRM component sets it, applications do not', () => {
    const script = new TestScript();
    script.drm = true;
    const { machine, pin, stream } = openStream(script);
    const id = KSPROPERTY_DRMAUDIOSTREAM_CONTENTID;
    expect(machine.set(pin, KSPROPSETID_DrmAudioStream, id, CONTENT)).toBe(STATUS_ACCESS_DENIED);
    expect(setFromKernel(machine, pin, CONTENT)).toBe(STATUS_SUCCESS);
    expect(stream()?.contentId).toBe(42);
    expect(stream()?.rights).toEqual({ copyProtect: true, digitalOutputDisable: true });
    expect(machine.end()).toEqual([]);
  });

  test('a stream without IDrmAudioStream takes unprotected content only', () => {
    const { machine, pin } = openStream();
    expect(setFromKernel(machine, pin, CONTENT)).toBe(STATUS_NOT_SUPPORTED);
    expect(setFromKernel(machine, pin, new Uint8Array(16))).toBe(STATUS_SUCCESS);
    expect(machine.end()).toEqual([]);
  });
});
