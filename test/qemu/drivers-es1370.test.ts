import { driverSuite } from '../support/driver-suite.ts';
import { ES1370 } from '../support/driver-suite-cards.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu('the driver on QEMU’s ES1370', () => {
  driverSuite('qemu', ES1370);
});
