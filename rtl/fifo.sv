// A queue of up to Depth beats in an AXI4-Stream. No output depends on an input of the same cycle.
//
// A beat passes every cycle. It comes out at the earliest two cycles after it went in; with Depth 2,
// where this is a stream_register, one cycle. A beat once offered at m_axis stays until it is taken.
// Nothing is said of how full the queue is.
//
// The memory is read into the output register, which holds one of the Depth beats. It is one of look-up
// tables, or with InBlocks block memory.

module fifo #(
  parameter int Width = 8,
  parameter int Depth = 2,
  parameter bit InBlocks = 1'b0
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
    // The places of the memory follow each other in a ring. In a short one they are the states of a linear
    // feedback shift register, all but that of ones only: the next is one gate away. Where this takes more
    // look-up tables, of 64 words, than the gates that it saves, they are numbers from 0 to Depth - 1.
    localparam int PlaceWidth = $clog2(Depth);
    localparam bit Shifts = PlaceWidth <= 9
        && (InBlocks || (2 ** PlaceWidth - Depth) / 64 * Width <= 32);
    localparam int Words = Shifts ? 2 ** PlaceWidth : Depth;

    // Of shift registers of 2 to 9 bits, the bits that come together in the next one, so that there are
    // as many states as can be (P. Alfke, XAPP052, Xilinx, 1996).
    localparam logic [8:0] Taps = PlaceWidth == 2 ? 9'b11
                                : PlaceWidth == 3 ? 9'b110
                                : PlaceWidth == 4 ? 9'b1100
                                : PlaceWidth == 5 ? 9'b10100
                                : PlaceWidth == 6 ? 9'b110000
                                : PlaceWidth == 7 ? 9'b1100000
                                : PlaceWidth == 8 ? 9'b10111000
                                : 9'b100010000;

    function automatic logic [PlaceWidth-1:0] following(input logic [PlaceWidth-1:0] place);
      if (Shifts) begin
        following = {place[PlaceWidth-2:0], ~^(place & PlaceWidth'(Taps))};
      end else begin
        following = place == PlaceWidth'(Depth - 1) ? '0 : place + 1'b1;
      end
    endfunction

    // The place Depth - 1 after the first.
    function automatic logic [PlaceWidth-1:0] last_place();
      last_place = Shifts ? '0 : PlaceWidth'(Depth - 1);
      for (int step = 1; Shifts && step < Depth; ++step) begin
        last_place = following(last_place);
      end
    endfunction

    // Where the next beat is written and read, and where it is written if the queue is then full. There are
    // Depth - 1 places or more, so these two meet for an empty queue too; but then m_axis_tvalid is low.
    logic [PlaceWidth-1:0] write_q, read_q, last_q;
    logic                  stored_q;  // whether there are beats in the memory

    logic accepted, moves, taken;
    assign accepted = s_axis_tvalid && s_axis_tready;
    assign taken = m_axis_tvalid && m_axis_tready;
    assign moves = stored_q && (!m_axis_tvalid || m_axis_tready);

    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        s_axis_tready <= 1'b1;
        m_axis_tvalid <= 1'b0;
        stored_q <= 1'b0;
        write_q <= '0;
        read_q <= '0;
        last_q <= last_place();
      end else begin
        s_axis_tready <= taken || (s_axis_tready && !(s_axis_tvalid && m_axis_tvalid && write_q == last_q));
        m_axis_tvalid <= stored_q || (m_axis_tvalid && !m_axis_tready);
        stored_q <= accepted || (stored_q && !(moves && following(read_q) == write_q));
        if (accepted) begin
          write_q <= following(write_q);
        end
        if (moves) begin
          read_q <= following(read_q);
        end
        if (taken) begin
          last_q <= following(last_q);
        end
      end
    end

    // No word is read in the cycle in which it is written.
    if (InBlocks) begin : gen_blocks
      (* no_rw_check, ram_style = "block" *)
      logic [Width-1:0] words [Words];

      always_ff @(posedge ap_clk) begin
        if (accepted) begin
          words[write_q] <= s_axis_tdata;
        end
        if (moves) begin
          m_axis_tdata <= words[read_q];
        end
      end
    end else begin : gen_tables
      (* no_rw_check, ram_style = "distributed" *)
      logic [Width-1:0] words [Words];

      always_ff @(posedge ap_clk) begin
        if (accepted) begin
          words[write_q] <= s_axis_tdata;
        end
        if (moves) begin
          m_axis_tdata <= words[read_q];
        end
      end
    end
  end

endmodule
