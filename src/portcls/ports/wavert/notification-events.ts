import {
  KEVENT,
  NtError,
  obDereferenceObject,
  STATUS_DEVICE_NOT_READY,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  type UserProcess,
} from '../../../kernel/index.ts';
import type { WaveRTPin } from './wavert-pin.ts';

/**
 * The events that a pin's clients registered for notifications (KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT). Each is
 * referenced while the miniport has it, so that a client that closes its handle, or dies, leaves no stale pointer behind.
 */
export class NotificationEvents {
  readonly #pin: WaveRTPin;
  readonly #events: KEVENT[] = [];

  constructor(pin: WaveRTPin) {
    this.#pin = pin;
  }

  get count(): number {
    return this.#events.length;
  }

  /**
   * Hands the event behind a user handle to the miniport. Throws STATUS_NOT_SUPPORTED without notifications,
   * STATUS_DEVICE_NOT_READY before the buffer with notifications was allocated, STATUS_INVALID_HANDLE and
   * STATUS_OBJECT_TYPE_MISMATCH for a bad handle, STATUS_INVALID_PARAMETER for an event that is registered already, and what the
   * miniport throws. PASSIVE_LEVEL.
   */
  register(process: UserProcess | null, handle: number): void {
    const notification = this.#notification();
    if ((this.#pin.buffer?.notificationCount ?? 0) === 0) {
      throw new NtError(STATUS_DEVICE_NOT_READY, 'KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION comes first');
    }
    const event = eventOf(process, handle);
    try {
      if (this.#events.includes(event))
        throw new NtError(STATUS_INVALID_PARAMETER, 'the event is registered already');
      this.#pin.callOut('IMiniportWaveRTStreamNotification::RegisterNotificationEvent', () =>
        notification.registerNotificationEvent(event),
      );
    } catch (error) {
      if (error instanceof NtError) obDereferenceObject(event);
      throw error;
    }
    this.#events.push(event);
  }

  /** Takes the event back. Throws as {@link register}, and STATUS_NOT_FOUND for an event that is not registered. */
  unregister(process: UserProcess | null, handle: number): void {
    this.#notification();
    const event = eventOf(process, handle);
    const index = this.#events.indexOf(event);
    obDereferenceObject(event);
    if (index < 0) throw new NtError(STATUS_NOT_FOUND, 'the event is not registered on this pin');
    this.#events.splice(index, 1);
    this.#takeBack(event);
  }

  /** Takes back what clients left registered. */
  unregisterAll(): void {
    for (const event of this.#events.splice(0)) this.#takeBack(event);
  }

  #takeBack(event: KEVENT): void {
    // The miniport's refusal cannot keep the event: it is gone for the client either way.
    this.#pin.callOutReporting('IMiniportWaveRTStreamNotification::UnregisterNotificationEvent', () =>
      this.#pin.notification?.unregisterNotificationEvent(event),
    );
    obDereferenceObject(event);
  }

  #notification() {
    const { notification } = this.#pin;
    if (notification === null) throw new NtError(STATUS_NOT_SUPPORTED, 'the stream has no notifications');
    return notification;
  }
}

/** The event behind a handle, with a reference for the caller. */
function eventOf(process: UserProcess | null, handle: number): KEVENT {
  if (process === null)
    throw new NtError(STATUS_INVALID_PARAMETER, 'notification events are user-mode handles');
  return process.referenceObjectByHandle(handle, KEVENT);
}
