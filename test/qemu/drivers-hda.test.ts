import { driverSuite } from '../support/driver-suite.ts';
import { HDA, HDA_ICH9, HDA_MICRO, HDA_OUTPUT } from '../support/driver-suite-cards.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu('drivers on QEMU’s cards', () => {
  for (const card of [HDA, HDA_ICH9, HDA_MICRO, HDA_OUTPUT]) driverSuite('qemu', card);
});
