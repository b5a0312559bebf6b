package io.minimind.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.minimind.files.ArgumentException;
import io.minimind.model.Experts;
import io.minimind.model.Experts.Balance;
import io.minimind.model.Experts.Balance.Scope;
import io.minimind.model.ModelConfig;
import io.minimind.model.ModelConfig.Part;
import io.minimind.model.RotaryScaling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the configurations of references mean to the originals. */
class ReferenceConfigTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private static ObjectNode object(String json) throws IOException {
    return (ObjectNode) JSON.readTree(json.replace('\'', '"'));
  }

  private ModelConfig first(String changed) throws IOException {
    ObjectNode config =
        object(
            "{'dim': 48, 'n_layers': 1, 'n_heads': 4, 'n_kv_heads': 2, 'vocab_size': 100,"
                + " 'hidden_dim': null, 'multiple_of': 64, 'norm_eps': 1e-5, 'max_seq_len': 16,"
                + " 'use_moe': true, 'num_experts_per_tok': 2, 'n_routed_experts': 4,"
                + " 'n_shared_experts': true, 'aux_loss_alpha': 0.01, 'seq_aux': true,"
                + " 'norm_topk_prob': true}");
    config.setAll(object(changed));
    Files.writeString(folder.resolve("one.json"), config.toString());
    return GoldenFolder.open(folder).read("one", GoldenConfig.class).balancedModel();
  }

  @Test
  void theFirstVersionsMixtures() throws IOException {
    assertEquals(Experts.of(4, 2, 1, 0.01), first("{}").experts());
    assertEquals(1, first("{'n_shared_experts': false}").experts().shared(), "any but None");
    assertEquals(1, first("{'n_shared_experts': 2}").experts().shared());
    assertEquals(0, first("{'n_shared_experts': null}").experts().shared());
    assertTrue(first("{}").experts().renormalised());
    assertEquals(
        new Experts(4, 2, 1, false, new Balance(0.01, Scope.ROW)),
        first("{'norm_topk_prob': false}").experts());
    assertEquals(
        new Experts(4, 1, 1, false, new Balance(0.01, Scope.ROW)),
        first("{'num_experts_per_tok': 1}").experts());
    assertEquals(new Balance(0.005, Scope.BATCH), first("{'seq_aux': false}").experts().balance());
  }

  @Test
  void theFirstVersionHasAsManyKeysAsHeadsUnlessItSaysOtherwise() throws IOException {
    assertEquals(2, first("{}").keyValueHeads());
    assertEquals(4, first("{'n_kv_heads': null}").keyValueHeads());
  }

  private static ModelConfig third(String changed) throws IOException {
    ObjectNode config =
        object(
            "{'hidden_size': 48, 'num_hidden_layers': 1, 'num_attention_heads': 4,"
                + " 'num_key_value_heads': 2, 'head_dim': 24, 'intermediate_size': 64,"
                + " 'vocab_size': 100, 'max_position_embeddings': 64, 'rms_norm_eps': 1e-6,"
                + " 'rope_theta': 1e6, 'rope_scaling': null, 'use_moe': false}");
    config.setAll(object(changed));
    return HeadConfig.of(config);
  }

  @Test
  void theThirdVersion() throws IOException {
    assertEquals(24, third("{}").headSize());
    assertEquals(12, third("{'head_dim': null}").headSize());
    assertEquals(4, third("{'num_key_value_heads': null}").keyValueHeads());
    assertTrue(third("{'tie_word_embeddings': false}").has(Part.OWN_HEAD));
    assertEquals(
        new RotaryScaling.Yarn(16, 32, 32, 1, 1),
        third("{'rope_scaling': {'original_max_position_embeddings': 32}}").rotary().scaling());
    assertEquals(
        RotaryScaling.NONE,
        third("{'rope_scaling': {'factor': 2, 'original_max_position_embeddings': 64}}")
            .rotary()
            .scaling());
  }

  @Test
  void theThirdVersionAppliesItsAttentionFactorAlsoWhereItStretchesNothing() throws IOException {
    assertEquals(
        new RotaryScaling.Yarn(1, 64, 32, 1, 1.3),
        third(
                "{'rope_scaling': {'factor': 2, 'attention_factor': 1.3,"
                    + " 'original_max_position_embeddings': 64}}")
            .rotary()
            .scaling());
  }

  @Test
  void whatCannotBeComputedIsSaid() {
    String gelu =
        assertThrows(ArgumentException.class, () -> third("{'hidden_act': 'gelu'}")).getMessage();
    assertTrue(gelu.contains("\"gelu\""), gelu);
    String missing =
        assertThrows(ArgumentException.class, () -> third("{'rope_theta': null}")).getMessage();
    assertEquals("The configuration of a reference model has no \"rope_theta\".", missing);
  }
}
