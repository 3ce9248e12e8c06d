import { driverSuite } from '../support/driver-suite.ts';
import { AC97 } from '../support/driver-suite-cards.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu('drivers on QEMU’s cards', () => {
  driverSuite('qemu', AC97);
});
