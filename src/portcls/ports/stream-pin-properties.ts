import {
  FILE_OBJECT,
  keQueryPerformanceCounter,
  NtError,
  obDereferenceObject,
  STATUS_ACCESS_DENIED,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
} from '../../kernel/index.ts';
import {
  decodeDataFormat,
  encodeDataFormat,
  KSALLOCATOR_FRAMING,
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
  writeUlong,
} from '../../ks/index.ts';
import type { PCPROPERTY_REQUEST } from '../ddi/index.ts';
import type { PortPin } from './port-handle.ts';
import type { PortProperty } from './port-property.ts';
import { StreamPin } from './stream-pin.ts';
import { readPointer, writeUlonglong } from './value-bytes.ts';

const KSAUDIO_POSITION_SIZE = 16;
const KSAUDIO_POSITIONEX_SIZE = 40;
const HANDLE_SIZE = 8;
/** ContentId; DRMRIGHTS: CopyProtect, Reserved, DigitalOutputDisable, as four ULONGs. */
const KSDRMAUDIOSTREAM_CONTENTID_SIZE = 16;

/** The stream's pin that a request was addressed to. */
function streamPin(target: PortPin): StreamPin {
  if (target instanceof StreamPin) return target;
  throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'this is no pin of a wave filter');
}

/** The value of a request whose length the dispatcher checked. */
export function valueBytesOf(request: PCPROPERTY_REQUEST, bytes: number): Uint8Array {
  request.requireValue(bytes);
  if (request.value === null) throw new NtError(STATUS_INVALID_PARAMETER);
  return request.value;
}

/** Streams use neither another pin's allocator nor its clock: any file of the client's, or none, is accepted and not kept. */
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

/** What every wave port answers on its open pins: connection, stream, position, content id. */
export const streamPinProperties: readonly PortProperty<PortPin>[] = [
  {
    set: KSPROPSETID_Connection,
    id: KSPROPERTY_CONNECTION_STATE,
    owned: true,
    valueBytes: 4,
    onGet: (pin, request) => request.setUlong(streamPin(pin).state),
    onSet: (pin, request) => streamPin(pin).setState(request.getUlong()),
  },
  {
    set: KSPROPSETID_Connection,
    id: KSPROPERTY_CONNECTION_DATAFORMAT,
    owned: true,
    onGet: (pin, request) => request.setBytes(encodeDataFormat(streamPin(pin).dataFormat)),
    onSet: (pin, request) => streamPin(pin).setFormat(decodeDataFormat(request.getBytes())),
  },
  {
    set: KSPROPSETID_Connection,
    id: KSPROPERTY_CONNECTION_ALLOCATORFRAMING,
    owned: true,
    valueBytes: KSALLOCATOR_FRAMING.size,
    onGet: (pin, request) => request.setBytes(KSALLOCATOR_FRAMING.encode(streamPin(pin).allocatorFraming)),
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
      const { playOffset, writeOffset } = streamPin(pin).getPosition();
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
      const { playOffset, writeOffset } = streamPin(pin).getPosition();
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
      const pin = streamPin(target);
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
