import type { GUID } from '../../../com/index.ts';
import {
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_AUDIO_POSITIONEX,
  KSPROPERTY_RTAUDIO_GETREADPACKET,
  KSPROPERTY_RTAUDIO_PACKETCOUNT,
  KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_RTAUDIO_SETWRITEPACKET,
  KSPROPSETID_Audio,
  KSPROPSETID_RtAudio,
  readUlong,
} from '../../../ks/index.ts';

/** Offset of KSPROPERTY.Id; the set's GUID comes before it. */
const ID_OFFSET = 16;

function isSet(input: Uint8Array, set: GUID): boolean {
  return (
    readUlong(input, 0) === set.w0 &&
    readUlong(input, 4) === set.w1 &&
    readUlong(input, 8) === set.w2 &&
    readUlong(input, 12) === set.w3
  );
}

/** Is this KSPROPERTY one of the six that UsePositionLock takes off the device's lock (usepositionlock.md)? */
export function isPositionRequest(input: Uint8Array): boolean {
  switch (readUlong(input, ID_OFFSET)) {
    case KSPROPERTY_RTAUDIO_PACKETCOUNT:
    case KSPROPERTY_RTAUDIO_PRESENTATION_POSITION:
    case KSPROPERTY_RTAUDIO_GETREADPACKET:
    case KSPROPERTY_RTAUDIO_SETWRITEPACKET:
      return isSet(input, KSPROPSETID_RtAudio);
    case KSPROPERTY_AUDIO_POSITION:
    case KSPROPERTY_AUDIO_POSITIONEX:
      return isSet(input, KSPROPSETID_Audio);
    default:
      return false;
  }
}
