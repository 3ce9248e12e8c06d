import {
  FILE_OBJECT,
  keQueryPerformanceCounter,
  NtError,
  obDereferenceObject,
  STATUS_ACCESS_DENIED,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
} from '../../../kernel/index.ts';
import {
  decodeDataFormat,
  encodeDataFormat,
  KSALLOCATOR_FRAMING,
  KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_AUDIO_POSITIONEX,
  KSPROPERTY_CONNECTION_ALLOCATORFRAMING,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_DRMAUDIOSTREAM_CONTENTID,
  KSPROPERTY_STREAM_ALLOCATOR,
  KSPROPERTY_STREAM_MASTERCLOCK,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_DrmAudioStream,
  KSPROPSETID_Stream,
  readUlong,
  waveFormatOf,
  writeUlong,
} from '../../../ks/index.ts';
import type { PCPROPERTY_REQUEST } from '../../ddi/index.ts';
import type { PortPin } from '../port-handle.ts';
import type { PortProperty } from '../port-property.ts';
import { readPointer, writeUlonglong } from './value-bytes.ts';
import { WaveRTPin } from './wavert-pin.ts';

const KSAUDIO_POSITION_SIZE = 16;
const KSAUDIO_POSITIONEX_SIZE = 40;
const HANDLE_SIZE = 8;
/** ContentId; DRMRIGHTS: CopyProtect, Reserved, DigitalOutputDisable, as four ULONGs. */
const KSDRMAUDIOSTREAM_CONTENTID_SIZE = 16;

/** The pin of this port that a request was addressed to. */
export function waveRTPin(target: PortPin): WaveRTPin {
  if (target instanceof WaveRTPin) return target;
  throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'this is no pin of a WaveRT filter');
}

/** The value of a request whose length the dispatcher checked. */
export function valueBytesOf(request: PCPROPERTY_REQUEST, bytes: number): Uint8Array {
  request.requireValue(bytes);
  if (request.value === null) throw new NtError(STATUS_INVALID_PARAMETER);
  return request.value;
}

/** KSALLOCATOR_FRAMING of a pin that streams through its cyclic buffer: one frame of it, or of 10 ms before there is one. */
function allocatorFraming(pin: WaveRTPin): KSALLOCATOR_FRAMING {
  const wave = waveFormatOf(pin.dataFormat);
  return {
    optionsFlags: KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY,
    poolType: 0,
    frames: 1,
    frameSize: pin.buffer?.actualSize ?? Math.ceil((wave?.nAvgBytesPerSec ?? 0) / 100),
    fileAlignment: 0,
  };
}

/** The pin uses neither allocator nor clock: any file of the client's, or none, is accepted and not kept. */
function setHandle(request: PCPROPERTY_REQUEST): void {
  const handle = readPointer(valueBytesOf(request, HANDLE_SIZE), 0);
  if (handle === 0) return;
  if (request.process === null) throw new NtError(STATUS_INVALID_PARAMETER, 'a handle needs a process');
  obDereferenceObject(request.process.referenceObjectByHandle(handle, FILE_OBJECT));
}

/** Support is told by success; the handle itself is always NULL (ksproperty-stream-allocator.md, -masterclock.md). */
function getNullHandle(request: PCPROPERTY_REQUEST): void {
  valueBytesOf(request, HANDLE_SIZE).fill(0, 0, HANDLE_SIZE);
}

/** Properties of open pins outside KSPROPSETID_RtAudio: connection, stream, position, content id. */
export const waveRTPinProperties: readonly PortProperty<PortPin>[] = [
  {
    set: KSPROPSETID_Connection,
    id: KSPROPERTY_CONNECTION_STATE,
    owned: true,
    valueBytes: 4,
    onGet: (pin, request) => request.setUlong(waveRTPin(pin).state),
    onSet: (pin, request) => waveRTPin(pin).setState(request.getUlong()),
  },
  {
    set: KSPROPSETID_Connection,
    id: KSPROPERTY_CONNECTION_DATAFORMAT,
    owned: true,
    onGet: (pin, request) => request.setBytes(encodeDataFormat(waveRTPin(pin).dataFormat)),
    onSet: (pin, request) => waveRTPin(pin).setFormat(decodeDataFormat(request.getBytes())),
  },
  {
    set: KSPROPSETID_Connection,
    id: KSPROPERTY_CONNECTION_ALLOCATORFRAMING,
    owned: true,
    valueBytes: KSALLOCATOR_FRAMING.size,
    onGet: (pin, request) => request.setBytes(KSALLOCATOR_FRAMING.encode(allocatorFraming(waveRTPin(pin)))),
  },
  {
    set: KSPROPSETID_Stream,
    id: KSPROPERTY_STREAM_ALLOCATOR,
    owned: true,
    valueBytes: HANDLE_SIZE,
    onGet: (_pin, request) => getNullHandle(request),
    onSet: (_pin, request) => setHandle(request),
  },
  {
    set: KSPROPSETID_Stream,
    id: KSPROPERTY_STREAM_MASTERCLOCK,
    owned: true,
    valueBytes: HANDLE_SIZE,
    onGet: (_pin, request) => getNullHandle(request),
    onSet: (_pin, request) => setHandle(request),
  },
  {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_POSITION,
    owned: true,
    valueBytes: KSAUDIO_POSITION_SIZE,
    onGet: (pin, request) => {
      const { playOffset, writeOffset } = waveRTPin(pin).getPosition();
      const value = valueBytesOf(request, KSAUDIO_POSITION_SIZE);
      writeUlonglong(value, 0, playOffset);
      writeUlonglong(value, 8, writeOffset);
    },
  },
  {
    set: KSPROPSETID_Audio,
    id: KSPROPERTY_AUDIO_POSITIONEX,
    owned: false,
    valueBytes: KSAUDIO_POSITIONEX_SIZE,
    onGet: (pin, request) => {
      const before = keQueryPerformanceCounter();
      const { playOffset, writeOffset } = waveRTPin(pin).getPosition();
      const after = keQueryPerformanceCounter();
      const value = valueBytesOf(request, KSAUDIO_POSITIONEX_SIZE);
      writeUlonglong(value, 0, before.frequency);
      writeUlonglong(value, 8, before.counter);
      writeUlonglong(value, 16, playOffset);
      writeUlonglong(value, 24, writeOffset);
      writeUlonglong(value, 32, after.counter);
    },
  },
  {
    // Rights come from the kernel's DRM component alone (kspropsetid-drmaudiostream.md): applications are refused.
    set: KSPROPSETID_DrmAudioStream,
    id: KSPROPERTY_DRMAUDIOSTREAM_CONTENTID,
    owned: true,
    valueBytes: KSDRMAUDIOSTREAM_CONTENTID_SIZE,
    onSet: (target, request) => {
      const pin = waveRTPin(target);
      if (request.process !== null)
        throw new NtError(STATUS_ACCESS_DENIED, 'content ids are set in kernel mode only');
      const value = valueBytesOf(request, KSDRMAUDIOSTREAM_CONTENTID_SIZE);
      const contentId = readUlong(value, 0);
      const drmAudioStream = pin.drmAudioStream;
      if (drmAudioStream === null) {
        // Without IDrmAudioStream a stream takes unprotected content only: id 0.
        if (contentId === 0) return;
        throw new NtError(STATUS_NOT_SUPPORTED, 'the stream has no IDrmAudioStream');
      }
      const rights = {
        copyProtect: readUlong(value, 4) !== 0,
        digitalOutputDisable: readUlong(value, 12) !== 0,
      };
      pin.callOut('IDrmAudioStream::SetContentId', () => drmAudioStream.setContentId(contentId, rights));
    },
  },
];

/** Answers a get request with one ULONG, without a DataView. */
export function setUlongValue(request: PCPROPERTY_REQUEST, value: number): void {
  writeUlong(valueBytesOf(request, 4), 0, value);
}
