import { findCard } from '../src/catalog.ts';
import { AudioClient } from '../src/client/index.ts';
import { Trace, UserProcess } from '../src/kernel/index.ts';
import {
  IOCTL_KS_PROPERTY,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_TOPOLOGY,
  KSPROPSETID_Audio,
  KSPROPSETID_Pin,
} from '../src/ks/index.ts';
import { SimMachine } from '../src/machines/sim/index.ts';
import { bestSeconds, type Figure } from './measure.ts';

/** Round trips of property requests from a client to PortCls, and to a miniport's handler, and back. */
export function propertyFigures(requests: number): Figure[] {
  const card = findCard('ac97');
  if (!card) throw new Error('the catalogue has no ac97');
  const machine = new SimMachine({ trace: new Trace({ mask: 0, keep: 0 }) });
  try {
    card.plug(machine, {});
    machine.installDriver(card.driver);
    machine.start();
    const audio = new AudioClient(machine.kernel);
    const master = audio.controls().find('Master Volume');
    audio.close();
    return machine.kernel.enter(() => {
      const process = new UserProcess(machine.kernel, 'bench');
      const handle = process.createFile(master.filter.path);
      const output = new Uint8Array(4);

      const pinRequest = new Uint8Array(24);
      const pinView = new DataView(pinRequest.buffer);
      KSPROPSETID_Pin.write(pinView, 0);
      pinView.setUint32(16, KSPROPERTY_PIN_CTYPES, true);
      pinView.setUint32(20, KSPROPERTY_TYPE_GET, true);

      const nodeRequest = new Uint8Array(40);
      const nodeView = new DataView(nodeRequest.buffer);
      KSPROPSETID_Audio.write(nodeView, 0);
      nodeView.setUint32(16, KSPROPERTY_AUDIO_VOLUMELEVEL, true);
      nodeView.setUint32(20, KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_TOPOLOGY, true);
      nodeView.setUint32(24, master.node.id, true);

      const measure = (name: string, request: Uint8Array): Figure => {
        const seconds = bestSeconds(3, () => {
          for (let i = 0; i < requests; i++) {
            const { status } = process.deviceIoControl(handle, IOCTL_KS_PROPERTY, request, output);
            if (status !== 0) throw new Error(`${name}: status 0x${status.toString(16)}`);
          }
        });
        return {
          name,
          value: (seconds / requests) * 1e6,
          unit: 'µs',
          aim: 2,
          higherIsBetter: false,
          ofMemoryCopy: null,
        };
      };
      const figures = [
        measure('property answered by the port (PIN_CTYPES)', pinRequest),
        measure("property answered by the miniport (a node's VOLUMELEVEL)", nodeRequest),
      ];
      process.terminate();
      return figures;
    });
  } finally {
    machine.dispose();
  }
}
