import {
  type IRP,
  ioGetCurrentIrpStackLocation,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MATCH,
} from '../kernel/index.ts';
import {
  KSPIN_COMMUNICATION_BOTH,
  KSPIN_COMMUNICATION_NONE,
  KSPIN_COMMUNICATION_SOURCE,
} from './constants.ts';
import { dataFormatMatchesRange } from './matching.ts';
import { decodePinConnect, type KSPIN_CONNECT, splitCreateRequestName } from './pin-connect.ts';
import type { KSPIN_DESCRIPTOR } from './pin-descriptor.ts';
import { pinInterfaces, pinMediums } from './pin-properties.ts';
import { identifierEquals } from './structs.ts';

/**
 * KsValidateConnectRequest: takes a pin's create request apart and checks it against the pin factories: pin id, communication, interface, medium, and the format by
 * its GUIDs and attributes against the factory's data ranges (bounds are the driver's to check).
 *
 * Throws NtError STATUS_BUFFER_TOO_SMALL and STATUS_INVALID_PARAMETER for a damaged request (see {@link decodePinConnect}) and for a pin id that does not exist;
 * STATUS_INVALID_DEVICE_REQUEST for a pin that only stands for wiring; STATUS_INVALID_PARAMETER for another pin's handle where the pin is no source, or
 * none where it is nothing else; STATUS_NO_MATCH when interface, medium or format suit none of the factory's. PASSIVE_LEVEL.
 */
export function ksValidateConnectRequest(irp: IRP, descriptors: readonly KSPIN_DESCRIPTOR[]): KSPIN_CONNECT {
  requireIrql(PASSIVE_LEVEL, 'KsValidateConnectRequest');
  const { fileObject } = ioGetCurrentIrpStackLocation(irp);
  const parameters = fileObject === null ? null : splitCreateRequestName(fileObject.fileName).parameters;
  if (parameters === null)
    throw new NtError(STATUS_INVALID_PARAMETER, 'the create request carries no KSPIN_CONNECT');
  const connect = decodePinConnect(parameters);
  ksValidatePinConnect(connect, descriptors);
  return connect;
}

/** The checks alone, on a request that has been taken apart. Throws as {@link ksValidateConnectRequest} does. */
export function ksValidatePinConnect(connect: KSPIN_CONNECT, descriptors: readonly KSPIN_DESCRIPTOR[]): void {
  const { pinId } = connect;
  const pin = descriptors[pinId];
  if (pin === undefined) throw new NtError(STATUS_INVALID_PARAMETER, `there is no pin factory ${pinId}`);
  checkCommunication(connect, pin);
  if (!pinInterfaces(pin).some((item) => identifierEquals(item, connect.interface))) {
    throw new NtError(STATUS_NO_MATCH, `pin ${pinId} has no such interface`);
  }
  if (!pinMediums(pin).some((item) => identifierEquals(item, connect.medium))) {
    throw new NtError(STATUS_NO_MATCH, `pin ${pinId} has no such medium`);
  }
  if (!pin.dataRanges.some((range) => dataFormatMatchesRange(connect.dataFormat, range))) {
    throw new NtError(STATUS_NO_MATCH, `no data range of pin ${pinId} holds the format`);
  }
}

/** A sink takes requests from whoever opens it; a source needs the pin to which it shall send its own. */
function checkCommunication(
  { pinId, pinToHandle }: KSPIN_CONNECT,
  { communication }: KSPIN_DESCRIPTOR,
): void {
  if (communication === KSPIN_COMMUNICATION_NONE) {
    throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `pin ${pinId} stands for wiring and cannot be opened`);
  }
  if (pinToHandle !== 0) {
    if (communication !== KSPIN_COMMUNICATION_SOURCE && communication !== KSPIN_COMMUNICATION_BOTH) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `pin ${pinId} is no source: it cannot be connected to another pin`,
      );
    }
  } else if (communication === KSPIN_COMMUNICATION_SOURCE) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `pin ${pinId} is a source: it needs the pin that it sends to`,
    );
  }
}
