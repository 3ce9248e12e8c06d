import { driverSuite } from './support/driver-suite.ts';
import { ES1370 } from './support/driver-suite-cards.ts';

driverSuite('sim', ES1370);
