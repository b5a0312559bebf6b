package io.minimind.runtime;

import java.util.List;

/** Makes one gradient of those of several replicas. */
interface GradientAverager {

  /**
   * @param gradients for each replica the gradients of all parameters, in native memory; may be
   *     overwritten
   * @return the mean over the replicas for each parameter, equal to the bit whenever the gradients
   *     are; good as long as all of the arguments are
   */
  List<Gradient> mean(List<List<Gradient>> gradients);
}
