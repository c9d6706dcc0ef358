// What memory this process holds, as the kernel counts it.
#pragma once

namespace understudy {

double resident_bytes();  // with the pages of files that are mapped; 0 where it is not known

}  // namespace understudy
