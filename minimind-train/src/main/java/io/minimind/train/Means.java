package io.minimind.train;

import io.minimind.artifact.Extent;
import io.minimind.artifact.Metric;
import io.minimind.artifact.Objective;
import io.minimind.artifact.TrainingArtifacts;
import io.minimind.data.Batch;
import io.minimind.runtime.ModelInTraining.Evaluation;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Means over batches of different sizes, each over what its objective says. */
final class Means {

  private final Map<String, Extent> over = new HashMap<>();
  private final Map<String, Double> sums = new LinkedHashMap<>();
  private final Map<Extent, Long> counts = new HashMap<>();

  Means(Objective objective) {
    over.put(TrainingArtifacts.LOSS, objective.lossOver());
    over.put(TrainingArtifacts.BALANCE_LOSS, Extent.TOKEN);
    for (Metric metric : objective.metrics()) {
      over.put(metric.name(), metric.over());
    }
  }

  void add(Batch batch, Evaluation found) {
    for (Extent extent : Extent.values()) {
      counts.merge(extent, batch.count(extent), Long::sum);
    }
    add(TrainingArtifacts.LOSS, found.loss(), batch);
    found.metrics().forEach((name, value) -> add(name, value, batch));
  }

  private void add(String name, float value, Batch batch) {
    sums.merge(name, value * (double) batch.count(over.get(name)), Double::sum);
  }

  double loss() {
    return mean(TrainingArtifacts.LOSS);
  }

  private double mean(String name) {
    return sums.get(name) / counts.get(over.get(name));
  }

  /** All but the loss. */
  Map<String, Double> metrics() {
    Map<String, Double> means = new LinkedHashMap<>();
    sums.keySet().forEach(name -> means.put(name, mean(name)));
    means.remove(TrainingArtifacts.LOSS);
    return means;
  }
}
