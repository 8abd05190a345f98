// A queue of up to Depth beats in an AXI4-Stream. No output depends on an input of the same cycle.
//
// A beat passes every cycle. It comes out at the earliest two cycles after it went in; with Depth 2,
// where this is a stream_register, one cycle. A beat once offered at m_axis stays until it is taken.
// Nothing is said of how full the queue is.
//
// The memory is read into the output register, so that synthesis may use block memory. That register
// holds one of the Depth beats.

module fifo #(
  parameter int Width = 8,
  parameter int Depth = 2
) (
  input  logic             ap_clk,
  input  logic             ap_rst_n,
  input  logic [Width-1:0] s_axis_tdata,
  input  logic             s_axis_tvalid,
  output logic             s_axis_tready,
  output logic [Width-1:0] m_axis_tdata,
  output logic             m_axis_tvalid,
  input  logic             m_axis_tready
);

`ifndef __ICARUS__  // Icarus 11 has no elaboration tasks
  if (Width < 1 || Depth < 2) begin : gen_illegal
    $fatal(1, "fifo %m: Width %0d must be at least 1 and Depth %0d at least 2", Width, Depth);
  end
`endif

  if (Depth == 2) begin : gen_registers
    stream_register #(
      .Width(Width)
    ) u_stream_register (
      .ap_clk,
      .ap_rst_n,
      .s_axis_tdata,
      .s_axis_tvalid,
      .s_axis_tready,
      .m_axis_tdata,
      .m_axis_tvalid,
      .m_axis_tready
    );
  end else begin : gen_memory
    localparam int AddressWidth = Depth > 1 ? $clog2(Depth) : 1;
    localparam int CountWidth = $clog2(Depth + 1);
    localparam logic [AddressWidth-1:0] LastAddress = AddressWidth'(Depth - 1);
    localparam logic [CountWidth-1:0] Most = CountWidth'(Depth);

    // Beats in the memory and beats in all.
    logic [CountWidth-1:0]   stored_q, held_q;
    logic [AddressWidth-1:0] write_address_q, read_address_q;

    logic accepted, moves, taken;
    assign accepted = s_axis_tvalid && s_axis_tready;
    assign taken = m_axis_tvalid && m_axis_tready;
    assign moves = stored_q != '0 && (!m_axis_tvalid || m_axis_tready);

    function automatic logic [AddressWidth-1:0] following(input logic [AddressWidth-1:0] address);
      following = address == LastAddress ? '0 : address + 1'b1;
    endfunction

    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        stored_q <= '0;
        held_q <= '0;
        s_axis_tready <= 1'b0;
        m_axis_tvalid <= 1'b0;
        write_address_q <= '0;
        read_address_q <= '0;
      end else begin
        stored_q <= stored_q + CountWidth'(accepted) - CountWidth'(moves);
        held_q <= held_q + CountWidth'(accepted) - CountWidth'(taken);
        s_axis_tready <= held_q + CountWidth'(accepted) - CountWidth'(taken) < Most;
        m_axis_tvalid <= moves || (m_axis_tvalid && !m_axis_tready);
        if (accepted) begin
          write_address_q <= following(write_address_q);
        end
        if (moves) begin
          read_address_q <= following(read_address_q);
        end
      end
    end

    // No word is read in the cycle in which it is written.
    (* no_rw_check *)
    logic [Width-1:0] words [Depth];

    always_ff @(posedge ap_clk) begin
      if (accepted) begin
        words[write_address_q] <= s_axis_tdata;
      end
      if (moves) begin
        m_axis_tdata <= words[read_address_q];
      end
    end
  end

endmodule
