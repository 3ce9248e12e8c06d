import type { GUID } from '../../../com/index.ts';
import { NtError, STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED } from '../../../kernel/index.ts';
import {
  encodeGuids,
  KSPROPERTY_AUDIOSIGNALPROCESSING_MODES,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_AudioSignalProcessing,
} from '../../../ks/index.ts';
import type { IMiniportAudioSignalProcessing } from '../../ddi/index.ts';
import type { PortFilter } from '../port-handle.ts';
import type { PortProperty } from '../port-property.ts';
import type { PortWaveRT } from './port-wavert.ts';

/** PinId and Reserved of KSP_PIN, behind KSPROPERTY. */
const KSP_PIN_TAIL = 8;

/**
 * KSPROPERTY_AUDIOSIGNALPROCESSING_MODES, from IMiniportAudioSignalProcessing::GetModes. The method's page has loopback and
 * bridge pins answer STATUS_NOT_SUPPORTED, the property's page wants an empty list for them: the port turns one into the other.
 */
export function signalProcessingProperties(
  port: PortWaveRT,
  signalProcessing: IMiniportAudioSignalProcessing,
): readonly PortProperty<PortFilter>[] {
  const modesOf = (pin: number): readonly GUID[] => {
    if (pin >= port.descriptor.pins.length)
      throw new NtError(STATUS_INVALID_PARAMETER, `the filter has no pin ${pin}`);
    try {
      return port.kernel.callOut(port.driverName, 'IMiniportAudioSignalProcessing::GetModes', () =>
        signalProcessing.getModes(pin),
      );
    } catch (error) {
      if (error instanceof NtError && error.status === STATUS_NOT_SUPPORTED) return [];
      throw error;
    }
  };
  return [
    {
      set: KSPROPSETID_AudioSignalProcessing,
      id: KSPROPERTY_AUDIOSIGNALPROCESSING_MODES,
      owned: false,
      instanceBytes: KSP_PIN_TAIL,
      onGet: (_filter, request) => request.setBytes(encodeGuids(modesOf(request.instanceUlong(0)))),
      onSupport: () => ({ accessFlags: KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_BASICSUPPORT }),
    },
  ];
}
