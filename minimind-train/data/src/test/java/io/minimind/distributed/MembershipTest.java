package io.minimind.distributed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.minimind.files.ArgumentException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MembershipTest {

  private static Map<String, String> environment() {
    return new HashMap<>(
        Map.of("MASTER_ADDR", "node-0", "MASTER_PORT", "29500", "RANK", "1", "WORLD_SIZE", "2"));
  }

  @Test
  void theEnvironmentTells() {
    Membership found = Membership.of(environment()).orElseThrow();
    assertEquals(1, found.rank());
    assertEquals(2, found.size());
    assertEquals("node-0", found.first().getHostString());
    assertEquals(29500, found.first().getPort());
    assertFalse(found.oneMachine());
    assertEquals(Membership.Timeouts.DEFAULT, found.timeouts());
  }

  @Test
  void timeoutsAndTheMachineCanBeToldToo() {
    Map<String, String> environment = environment();
    environment.put("LOCAL_WORLD_SIZE", "2");
    environment.put("MINIMIND_JOIN_TIMEOUT", "7");
    environment.put("MINIMIND_SILENCE_TIMEOUT", "9");
    environment.put("MINIMIND_WIRE", "bfloat16");
    Membership found = Membership.of(environment).orElseThrow();
    assertTrue(found.oneMachine());
    assertEquals(Wire.BFLOAT16, found.wire());
    assertEquals(
        new Membership.Timeouts(Duration.ofSeconds(7), Duration.ofSeconds(9)), found.timeouts());
  }

  @Test
  void oneProcessIsAlone() {
    assertEquals(Optional.empty(), Membership.of(Map.of()));
    assertEquals(Optional.empty(), Membership.of(Map.of("WORLD_SIZE", "1", "RANK", "0")));
    assertEquals(Optional.empty(), Membership.of(Map.of("RANK", "3")));
  }

  @ParameterizedTest
  @CsvSource({
    "RANK, 2",
    "RANK, -1",
    "RANK, one",
    "RANK, ''",
    "WORLD_SIZE, many",
    "WORLD_SIZE, 0",
    "WORLD_SIZE, 99999",
    "MASTER_ADDR, ' '",
    "MASTER_PORT, 0",
    "MASTER_PORT, 70000",
    "MINIMIND_SILENCE_TIMEOUT, 0",
    "MINIMIND_JOIN_TIMEOUT, soon",
    "MINIMIND_WIRE, telegraph"
  })
  void aVariableThatCannotBeIsNamed(String name, String value) {
    Map<String, String> environment = environment();
    environment.put(name, value);
    String sentence =
        assertThrows(ArgumentException.class, () -> Membership.of(environment)).getMessage();
    assertTrue(sentence.contains(name), sentence);
  }

  @Test
  void thePortOfAnAgentIsNoPlaceToListenAt() {
    Map<String, String> environment = environment();
    environment.put("TORCHELASTIC_USE_AGENT_STORE", "True");
    String sentence =
        assertThrows(ArgumentException.class, () -> Membership.of(environment)).getMessage();
    assertTrue(sentence.contains("TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"), sentence);
  }
}
