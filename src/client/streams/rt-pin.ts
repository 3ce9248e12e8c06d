import { NtError, ntSuccess, STATUS_DEVICE_NOT_READY } from '../../kernel/index.ts';
import {
  KSPROPERTY_RTAUDIO_BUFFER,
  KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION,
  KSPROPERTY_RTAUDIO_GETREADPACKET,
  KSPROPERTY_RTAUDIO_HWLATENCY,
  KSPROPERTY_RTAUDIO_PACKETCOUNT,
  KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT,
  KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_RTAUDIO_SETWRITEPACKET,
  KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_RtAudio,
  KSRTAUDIO_BUFFER,
  KSRTAUDIO_BUFFER_PROPERTY,
  KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION,
  KSRTAUDIO_GETREADPACKET_INFO,
  KSRTAUDIO_HWLATENCY,
  KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY,
  KSRTAUDIO_SETWRITEPACKET_INFO,
  KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM,
} from '../../ks/index.ts';
import { encodeProperty, ulongAt } from '../requests/ks-object.ts';
import { StreamingPin } from './streaming-pin.ts';

const set = KSPROPSETID_RtAudio;

/** A WaveRT pin instance: the requests of KSPROPSETID_RtAudio and the pin's state. Failures throw an NtError. */
export class RtPin extends StreamingPin {
  readonly #packetCountRequest = encodeProperty(set, KSPROPERTY_RTAUDIO_PACKETCOUNT, KSPROPERTY_TYPE_GET);
  readonly #packetCount = new Uint8Array(4);

  /** Whether buffers with notifications can be had; a driver that does not know the question cannot. */
  supportsNotification(): boolean {
    const request = encodeProperty(set, KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT, KSPROPERTY_TYPE_GET);
    const answer = new Uint8Array(4);
    return ntSuccess(this.object.tryControl(request, answer).status) && ulongAt(answer) !== 0;
  }

  /** Does the pin take SETWRITEPACKET (render) or give GETREADPACKET (capture)? */
  supportsPackets(capture: boolean): boolean {
    const id = capture ? KSPROPERTY_RTAUDIO_GETREADPACKET : KSPROPERTY_RTAUDIO_SETWRITEPACKET;
    const support = this.object.support(set, id);
    const wanted = capture ? KSPROPERTY_TYPE_GET : KSPROPERTY_TYPE_SET;
    return support !== null && Math.floor(ulongAt(support) / wanted) % 2 === 1;
  }

  /** Allocates and maps the cyclic buffer; `notificationCount` 0: without notifications. */
  allocateBuffer(requestedBytes: number, notificationCount: 0 | 1 | 2): KSRTAUDIO_BUFFER {
    const id =
      notificationCount === 0 ? KSPROPERTY_RTAUDIO_BUFFER : KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION;
    const property = { set, id, flags: KSPROPERTY_TYPE_GET };
    const base = { property, baseAddress: 0, requestedBufferSize: requestedBytes };
    const request =
      notificationCount === 0
        ? KSRTAUDIO_BUFFER_PROPERTY.encode(base)
        : KSRTAUDIO_BUFFER_PROPERTY_WITH_NOTIFICATION.encode({ ...base, notificationCount });
    const answer = new Uint8Array(KSRTAUDIO_BUFFER.size);
    this.object.control(request, answer);
    return KSRTAUDIO_BUFFER.decode(answer);
  }

  /** Delays behind the buffer; zeros when the driver does not say. */
  latency(): KSRTAUDIO_HWLATENCY {
    const request = encodeProperty(set, KSPROPERTY_RTAUDIO_HWLATENCY, KSPROPERTY_TYPE_GET);
    const answer = new Uint8Array(KSRTAUDIO_HWLATENCY.size);
    const { status } = this.object.tryControl(request, answer);
    return ntSuccess(status)
      ? KSRTAUDIO_HWLATENCY.decode(answer)
      : { fifoSize: 0, chipsetDelay: 0, codecDelay: 0 };
  }

  registerEvent(eventHandle: number): void {
    this.#notify(KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT, eventHandle);
  }

  unregisterEvent(eventHandle: number): void {
    this.#notify(KSPROPERTY_RTAUDIO_UNREGISTER_NOTIFICATION_EVENT, eventHandle);
  }

  #notify(id: number, notificationEvent: number): void {
    // A set: a get without room for a value would be a size query.
    const property = { set, id, flags: KSPROPERTY_TYPE_SET };
    this.object.control(KSRTAUDIO_NOTIFICATION_EVENT_PROPERTY.encode({ property, notificationEvent }), null);
  }

  /** Packets completed since the stream left KSSTATE_STOP. */
  packetCount(): number {
    const { status } = this.object.tryControl(this.#packetCountRequest, this.#packetCount);
    if (!ntSuccess(status)) throw new NtError(status);
    return ulongAt(this.#packetCount);
  }

  /** Tells the driver that a packet has been written; `lastBytes` marks the last one and how much of it is sound. */
  setWritePacket(packetNumber: number, lastBytes: number | null): void {
    const request = encodeProperty(set, KSPROPERTY_RTAUDIO_SETWRITEPACKET, KSPROPERTY_TYPE_SET);
    const value = KSRTAUDIO_SETWRITEPACKET_INFO.encode({
      packetNumber,
      flags: lastBytes === null ? 0 : KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM,
      eosPacketLength: lastBytes ?? 0,
    });
    this.object.control(request, value);
  }

  /** The oldest recorded packet that has not been read; null when there is none yet. */
  readPacket(): KSRTAUDIO_GETREADPACKET_INFO | null {
    const request = encodeProperty(set, KSPROPERTY_RTAUDIO_GETREADPACKET, KSPROPERTY_TYPE_GET);
    const answer = new Uint8Array(KSRTAUDIO_GETREADPACKET_INFO.size);
    const { status } = this.object.tryControl(request, answer);
    if (status === STATUS_DEVICE_NOT_READY) return null;
    if (!ntSuccess(status)) throw new NtError(status);
    return KSRTAUDIO_GETREADPACKET_INFO.decode(answer);
  }
}
