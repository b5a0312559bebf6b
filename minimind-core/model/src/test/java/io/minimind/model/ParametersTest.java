package io.minimind.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.minimind.graph.ModelRunner;
import io.minimind.weights.NamedTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class ParametersTest {

  private static final ModelConfig CONFIG = ModelConfig.of(64, 3, 4, 2, 200, 16);
  private static final List<Parameter> PARAMETERS = new Parameters(CONFIG).all();

  private static List<NamedTensor> initialize(long seed) {
    return new Parameters(CONFIG).start(seed);
  }

  @Test
  void everyParameterGetsItsShape() {
    List<NamedTensor> weights = initialize(1);
    assertEquals(PARAMETERS.stream().map(Parameter::name).toList(), names(weights));
    for (int i = 0; i < weights.size(); i++) {
      assertArrayEquals(PARAMETERS.get(i).shape().extents(), weights.get(i).shape());
    }
  }

  @Test
  void normsAreOneAndMatricesNormalWithTheDeviationOfTheirKind() {
    for (NamedTensor weight : initialize(2)) {
      double[] values = ModelRunner.doubles(weight);
      if (weight.shape().length == 1) {
        assertEquals(values.length, Arrays.stream(values).filter(value -> value == 1).count());
        continue;
      }
      boolean residual = weight.name().matches(".*\\.(wo|w3)\\.weight");
      double deviation = residual ? 0.02 / Math.sqrt(2 * 3) : 0.02;
      // Five standard errors of each statistic of a normal sample.
      double error = 5 / Math.sqrt(values.length);
      double[] scaled = Arrays.stream(values).map(value -> value / deviation).toArray();
      assertEquals(0, moment(scaled, 1), error, weight.name());
      assertEquals(1, moment(scaled, 2), error * Math.sqrt(2), weight.name());
      assertEquals(3, moment(scaled, 4), error * Math.sqrt(96), weight.name());
    }
  }

  @Test
  void parametersAreIndependent() {
    List<NamedTensor> matrices = new ArrayList<>(initialize(3));
    matrices.addAll(initialize(4));
    matrices.removeIf(weight -> weight.shape().length == 1);
    for (int i = 0; i < matrices.size(); i++) {
      for (int j = 0; j < i; j++) {
        double[] a = ModelRunner.doubles(matrices.get(i));
        double[] b = ModelRunner.doubles(matrices.get(j));
        int count = Math.min(a.length, b.length);
        double product = 0;
        for (int k = 0; k < count; k++) {
          product += a[k] * b[k];
        }
        double correlation = product / count / Math.sqrt(moment(a, 2) * moment(b, 2));
        String pair = matrices.get(i).name() + " and " + matrices.get(j).name();
        assertEquals(0, correlation, 6 / Math.sqrt(count), pair);
      }
    }
  }

  @Test
  void aSeedGivesItsWeightsInAnyOrderOfDeclaration() {
    List<NamedTensor> expected = new ArrayList<>(initialize(7));
    List<Parameter> shuffled = new ArrayList<>(PARAMETERS);
    Collections.reverse(expected);
    Collections.reverse(shuffled);
    assertEquals(expected, shuffled.stream().map(parameter -> parameter.start(7)).toList());
  }

  @Test
  void anotherSeedGivesOtherMatrices() {
    List<NamedTensor> weights = initialize(7);
    List<NamedTensor> others = initialize(8);
    for (int i = 0; i < weights.size(); i++) {
      if (weights.get(i).shape().length == 2) {
        assertNotEquals(weights.get(i), others.get(i));
      }
    }
  }

  private static List<String> names(List<NamedTensor> weights) {
    return weights.stream().map(NamedTensor::name).toList();
  }

  private static double moment(double[] values, int power) {
    return Arrays.stream(values).map(value -> Math.pow(value, power)).average().orElseThrow();
  }
}
